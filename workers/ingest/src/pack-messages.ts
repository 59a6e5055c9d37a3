import {
  EVENT_BYTES_MAX,
  EVENT_MESSAGE_END,
  eventMessageStart,
  MESSAGE_BYTES_MAX,
  type Rejection,
} from "@tidemark/contract";
import type { Body } from "@tidemark/http/read-body";
import { type JudgedEvents, toRejection } from "./judge-events.ts";
import type { ParsedItems } from "./parse-items.ts";

export interface PackedMessages {
  /** Event messages of at most `MESSAGE_BYTES_MAX` bytes. */
  readonly messages: readonly string[];
  /** Events that no message can hold. */
  readonly rejected: readonly Rejection[];
}

interface PackRequest {
  readonly projectId: string;
  readonly receivedAt: number;
  readonly body: Body;
  readonly parsed: ParsedItems;
  readonly judged: JudgedEvents;
}

/**
 * Packs a request's accepted events into as few queue messages as they fit, usually one. A body whose
 * every event was accepted as it stands is passed on as the text that came, without serialising it again.
 */
export function packMessages({ projectId, receivedAt, body, parsed, judged }: PackRequest): PackedMessages {
  if (judged.events.length === 0) return { messages: [], rejected: [] };
  const start = eventMessageStart(projectId, receivedAt);
  if (parsed.isVerbatim && judged.rejected.length === 0 && !judged.madeIds && body.bytes <= EVENT_BYTES_MAX) {
    const text = body.text.trim();
    const events = parsed.isBatch ? text.slice(1, -1) : text;
    return { messages: [start + events + EVENT_MESSAGE_END], rejected: [] };
  }
  return packEach(start, body, parsed, judged);
}

function packEach(start: string, body: Body, parsed: ParsedItems, judged: JudgedEvents): PackedMessages {
  // A body in ASCII without escapes stays ASCII, so that its length is its size.
  const isAscii = body.bytes === body.text.length && !body.text.includes("\\u");
  const envelope = start.length + EVENT_MESSAGE_END.length;
  const messages: string[] = [];
  const rejected: Rejection[] = [];
  let events = "";
  let bytes = envelope;
  for (let i = 0; i < judged.events.length; i++) {
    const text = JSON.stringify(judged.events[i]);
    const size = isAscii ? text.length : byteLength(text);
    if (size > EVENT_BYTES_MAX) {
      const index = judged.indexes[i] ?? i;
      judged.ids[index] = null;
      const detail = `The event has ${size} bytes; at most ${EVENT_BYTES_MAX} are taken.`;
      rejected.push(
        toRejection({ code: "event_too_large", pointer: "", detail }, judged.events[i], index, parsed.isBatch),
      );
      continue;
    }
    if (bytes + size + 1 > MESSAGE_BYTES_MAX) {
      messages.push(start + events + EVENT_MESSAGE_END);
      events = "";
      bytes = envelope;
    }
    events = events === "" ? text : `${events},${text}`;
    bytes += size + 1;
  }
  if (events !== "") messages.push(start + events + EVENT_MESSAGE_END);
  return { messages, rejected };
}

const encoder = new TextEncoder();

function byteLength(text: string): number {
  return encoder.encode(text).byteLength;
}
