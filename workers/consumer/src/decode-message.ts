import type { EventMessage } from "@tidemark/contract";

/** Reads a queue message, or returns `undefined` for what is not one of ours. */
export function decodeEventMessage(body: unknown): EventMessage | undefined {
  if (typeof body !== "string") return undefined;
  try {
    const message = JSON.parse(body) as Partial<EventMessage> | null;
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

const START = /^\{"v":1,"project_id":("(?:[^"\\]|\\.)*"),"received_at":\d+,"events":\[/;

/** The project of a message as ingest writes it, from its first characters; `undefined` for anything else. */
export function readProjectId(body: unknown): string | undefined {
  const match = typeof body === "string" ? START.exec(body) : null;
  return match === null ? undefined : (JSON.parse(match[1] ?? "") as string);
}
