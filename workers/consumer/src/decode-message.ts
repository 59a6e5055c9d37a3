import type { EventMessage } from "@tidemark/contract";
import { parseJson } from "@tidemark/core";

/** Reads a queue message, or returns `undefined` for what is not one of ours. */
export function decodeEventMessage(body: unknown): EventMessage | undefined {
  if (typeof body !== "string") return undefined;
  try {
    const message = parseJson(body) as Partial<EventMessage> | null;
    const isOurs =
      message?.v === 1 &&
      typeof message.project_id === "string" &&
      typeof message.received_at === "number" &&
      Array.isArray(message.events);
    return isOurs ? (message as EventMessage) : undefined;
  } catch {
    return undefined;
  }
}
