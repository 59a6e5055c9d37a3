import { EVENT_AGE_MS_MAX, EVENT_AHEAD_MS_MAX, type Rejection } from "@tidemark/contract";
import { type CheckedEvent, checkEvent, type EventFault } from "@tidemark/contract/event-check";
import { toInstant } from "@tidemark/core/timestamp";
import { v7 } from "uuid";
import { FaultyItem } from "./faulty-item.ts";
import type { ParsedItems } from "./parse-items.ts";

/** The verdict on every item of a request. */
export interface JudgedEvents {
  /** The accepted events, each with an id, in order. */
  readonly events: readonly CheckedEvent[];
  /** The position of each accepted event among the items; empty when it is the same. */
  readonly indexes: readonly number[];
  readonly rejected: Rejection[];
  /** The id of every item, `null` for a refused one; empty when none was refused or made. Packing may still refuse one. */
  readonly ids: (string | null)[];
  /** Whether the server made any of them. */
  readonly madeIds: boolean;
}

/**
 * Judges items one by one. An event's age is decided here, by the time of receipt, and nowhere else: an
 * event that waits in a queue is not lost for having waited.
 */
export function judgeEvents(parsed: ParsedItems, receivedAt: number): JudgedEvents {
  // Nearly every request: nothing is refused and nothing has to be made, so nothing is copied.
  if (parsed.items.every((item) => findFault(item, receivedAt) === undefined && hasId(item))) {
    return { events: parsed.items as readonly CheckedEvent[], indexes: [], rejected: [], ids: [], madeIds: false };
  }
  return judgeEach(parsed, receivedAt);
}

function judgeEach({ items, isBatch }: ParsedItems, receivedAt: number): JudgedEvents {
  const events: CheckedEvent[] = [];
  const indexes: number[] = [];
  const rejected: Rejection[] = [];
  const ids: (string | null)[] = [];
  let madeIds = false;
  for (let index = 0; index < items.length; index++) {
    const item = items[index];
    const fault = findFault(item, receivedAt);
    if (fault !== undefined) {
      rejected.push(toRejection(fault, item, index, isBatch));
      ids.push(null);
      continue;
    }
    const event = item as CheckedEvent;
    if (event.id === undefined) {
      event.id = `evt_${v7()}`;
      madeIds = true;
    }
    events.push(event);
    indexes.push(index);
    ids.push(event.id);
  }
  return { events, indexes, rejected, ids, madeIds };
}

function findFault(item: unknown, receivedAt: number): EventFault | undefined {
  return item instanceof FaultyItem ? item.fault : (checkEvent(item) ?? checkAge(item as CheckedEvent, receivedAt));
}

function hasId(item: unknown): boolean {
  return (item as CheckedEvent).id !== undefined;
}

function checkAge(event: CheckedEvent, receivedAt: number): EventFault | undefined {
  if (event.timestamp === undefined) return undefined;
  const instant = toInstant(event.timestamp);
  if (instant < receivedAt - EVENT_AGE_MS_MAX) {
    return {
      code: "event_too_old",
      pointer: "/timestamp",
      detail: "The event happened more than 35 days ago; what is older can no longer be told apart from a repetition.",
    };
  }
  if (instant > receivedAt + EVENT_AHEAD_MS_MAX) {
    return {
      code: "event_in_future",
      pointer: "/timestamp",
      detail: "The event lies more than 5 minutes ahead of the server's clock; check the sender's clock.",
    };
  }
  return undefined;
}

/** A fault as the answer shows it; in a batch the pointer begins with the item's index. */
export function toRejection(fault: EventFault, item: unknown, index: number, isBatch: boolean): Rejection {
  const id: unknown = typeof item === "object" && item !== null ? (item as { id?: unknown }).id : undefined;
  return {
    index,
    id: typeof id === "string" && id.length <= 256 ? id.toWellFormed() : null,
    code: fault.code,
    pointer: isBatch ? `/${index}${fault.pointer}` : fault.pointer,
    detail: fault.detail,
  };
}
