import { parseExactJson } from "@tidemark/core/event";

/** What a quarantined body is, as far as replaying it goes. */
export type HeldMessage =
  | { readonly kind: "events"; readonly project_id: unknown; readonly events: readonly unknown[] }
  | { readonly kind: "rollup" | "notification"; readonly project_id: unknown }
  | { readonly kind: "unreadable" };

/** Tells which queue a body came from; it can be whatever arrived there. */
export function readMessage(body: string): HeldMessage {
  let message: unknown;
  try {
    message = parseExactJson(body).value;
  } catch {
    return { kind: "unreadable" };
  }
  if (typeof message !== "object" || message === null) return { kind: "unreadable" };
  const { v, events, kind, project_id } = message as Record<string, unknown>;
  if (v === 1 && Array.isArray(events)) return { kind: "events", project_id, events };
  if (kind === "notify" || kind === "deliver") return { kind: "notification", project_id };
  return typeof kind === "string" ? { kind: "rollup", project_id } : { kind: "unreadable" };
}
