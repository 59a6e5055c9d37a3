import { EVENT_MESSAGE_END, eventMessageStart, type QuarantineEntry } from "@tidemark/contract";
import { sha256 } from "@tidemark/http/digest";
import { decodeEventMessage } from "./decode-message.ts";

/** An event that a meter did not count: why, and where it came from. */
export interface RefusedEvent {
  readonly reason: keyof typeof DETAIL;
  /** The index of its message in the batch. */
  readonly message: number;
  /** Its position in the message. */
  readonly position: number;
}

const DETAIL = {
  conflict: "The id is known with other content. The first one counted; this one did not.",
  forgotten: "The event is older than what the meter remembers, so nobody can tell whether it was counted before.",
} as const;

/** Refused events as they are kept: each as a message of its own that replays it. A message is read once. */
export async function toQuarantineEntries(
  refused: readonly RefusedEvent[],
  messages: readonly Message<string>[],
): Promise<readonly QuarantineEntry[]> {
  const entries: QuarantineEntry[] = [];
  for (const [index, events] of Map.groupBy(refused, (event) => event.message)) {
    const message = decodeEventMessage(messages[index]?.body);
    for (const { reason, position } of events) {
      const event = message?.events[position];
      if (message === undefined || event === undefined)
        throw new Error("A meter named an event that is not in the batch.");
      const body =
        eventMessageStart(message.project_id, message.received_at) + JSON.stringify(event) + EVENT_MESSAGE_END;
      const id = (await sha256(`${reason} ${body}`)).slice(0, 32);
      entries.push({ id, reason, detail: DETAIL[reason], customer_id: event.customer_id, at: Date.now(), body });
    }
  }
  return entries;
}
