import type { Api } from "./api.ts";
import { atLeast } from "./at-least.ts";
import { Courier, type Hold } from "./courier.ts";
import type { OnError } from "./fault.ts";
import { type EventParcel, sendEvents } from "./send-events.ts";
import { toUsageEvent, type TrackInput } from "./usage-event.ts";

/** How events share requests. */
export interface BatchOptions {
  /** Events in one request: 500 unless told, from 1 to 10,000. */
  readonly eventsMax?: number | undefined;
  /** Bytes in one request: 1,000,000 unless told, at most 5,000,000. An event that is larger goes alone. */
  readonly bytesMax?: number | undefined;
  /** How long an event may wait for others, in milliseconds: 1,000 unless told. */
  readonly intervalMs?: number | undefined;
}

export interface EventSpoolOptions {
  readonly api: Api;
  readonly timeoutMs: number;
  readonly batch: BatchOptions;
  readonly spoolMax: number;
  readonly onError: OnError;
  readonly waitUntil: (work: Promise<unknown>) => void;
}

/** What Tidemark takes in one request. */
const EVENTS_MAX = 10_000;
const BODY_BYTES_MAX = 5_000_000;
/** The brackets around a batch. */
const BRACKETS_BYTES = 2;

/** Keeps events in memory until Tidemark has them. */
export class EventSpool {
  readonly #courier: Courier<EventParcel>;
  readonly #onError: OnError;
  #dropped = 0;
  #isClosed = false;

  /** @throws RangeError when a batch could hold nothing. */
  constructor({ api, timeoutMs, batch, spoolMax, onError, waitUntil }: EventSpoolOptions) {
    const eventsMax = atLeast(1, "batch.eventsMax", batch.eventsMax ?? 500);
    const bytesMax = atLeast(1, "batch.bytesMax", batch.bytesMax ?? 1_000_000);
    this.#onError = onError;
    const route = { api, timeoutMs, onError, spooled: () => this.#courier.pending };
    this.#courier = new Courier({
      parcelsMax: spoolMax,
      countMax: Math.floor(Math.min(eventsMax, EVENTS_MAX)),
      bytesMax: Math.min(bytesMax, BODY_BYTES_MAX) - BRACKETS_BYTES,
      intervalMs: atLeast(0, "batch.intervalMs", batch.intervalMs ?? 1_000),
      deliveryMsMax: 2 * timeoutMs + 1_000,
      deliver: (events) => sendEvents(route, events),
      waitUntil,
    });
  }

  /**
   * Takes an event, or reports why it cannot. Never throws.
   *
   * @param hold keeps the event back.
   * @returns the event's id.
   */
  track(input: TrackInput, hold?: Hold): string {
    const id = input.id ?? crypto.randomUUID();
    const parcel = this.#isClosed ? "closed" : toParcel(input, id);
    if (typeof parcel === "string") this.#drop(input, parcel);
    else if (!this.#courier.add(parcel, { hold })) this.#drop(input, "spool_full");
    return id;
  }

  /** @returns how many events are not delivered after `timeoutMs`. */
  flush(timeoutMs: number): Promise<number> {
    return this.#courier.flush(timeoutMs);
  }

  /** Takes nothing more, and tries once more in spite of a pause. */
  close(timeoutMs: number): Promise<number> {
    this.#isClosed = true;
    return this.#courier.flush(timeoutMs, true);
  }

  #drop(event: TrackInput, reason: "spool_full" | "too_large" | "not_serialisable" | "closed"): void {
    this.#dropped += 1;
    this.#onError({ kind: "dropped", reason, event, dropped: this.#dropped });
  }
}

const encoder = new TextEncoder();

function toParcel(input: TrackInput, id: string): EventParcel | "too_large" | "not_serialisable" {
  try {
    const event = toUsageEvent(input, id, Date.now());
    const text = JSON.stringify(event);
    // One more for the comma that follows it in a batch.
    const bytes = encoder.encode(text).byteLength + 1;
    return bytes > BODY_BYTES_MAX - BRACKETS_BYTES ? "too_large" : { event, text, bytes };
  } catch {
    return "not_serialisable";
  }
}
