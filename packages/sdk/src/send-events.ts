import type { Answer, Api } from "./api.ts";
import type { Delivery } from "./courier.ts";
import type { Fault, OnError } from "./fault.ts";
import { isObject } from "./is-object.ts";
import { isProblemDetail, type ProblemDetail, type TidemarkError } from "./tidemark-error.ts";
import type { UsageEvent } from "./usage-event.ts";

/** An event in the spool: its text is made once, so that every attempt sends the same. */
export interface EventParcel {
  readonly event: UsageEvent;
  readonly text: string;
  readonly bytes: number;
}

/** What one delivery of events needs. */
export interface EventRoute {
  readonly api: Api;
  readonly timeoutMs: number;
  /** How many events wait altogether. */
  readonly spooled: () => number;
  readonly onError: OnError;
}

/** A key that was refused may be mended while we wait, but not soon. */
const REFUSED_WAIT_MS = 30_000;
/** Statuses that are about the events. All others are about the key, the address or the moment. */
const ABOUT_EVENTS = new Set([400, 413, 422]);

/**
 * Posts a batch of events once. Refused events are reported and settled; a batch that Tidemark did not
 * take is left as it is, so that the same ids are sent again.
 */
export async function sendEvents(route: EventRoute, batch: readonly EventParcel[]): Promise<Delivery<EventParcel>> {
  const body = `[${batch.map((parcel) => parcel.text).join(",")}]`;
  const answer: Answer<readonly Refusal[]> = await route.api.post("/v1/events", body, toRefusals, route.timeoutMs);
  switch (answer.kind) {
    case "answered":
      report(route, batch, answer.body);
      return { left: [], waitMs: null };
    case "refused":
      return afterRefusal(route, batch, answer.error);
    case "unavailable":
      route.onError({ kind: "undelivered", spooled: route.spooled(), detail: answer.detail, error: null });
      return { left: batch, waitMs: answer.retryAfterMs };
  }
}

/** A fault of the event at `index` of the batch. */
interface Refusal extends ProblemDetail {
  readonly index: number;
}

function afterRefusal(route: EventRoute, batch: readonly EventParcel[], error: TidemarkError): Delivery<EventParcel> {
  const refusals = error.errors.flatMap(toRefusal);
  if (error.status === 422 && refusals.length > 0) {
    report(route, batch, refusals);
    return { left: [], waitMs: null };
  }
  if (!ABOUT_EVENTS.has(error.status)) {
    route.onError({ kind: "undelivered", spooled: route.spooled(), detail: error.detail, error });
    return { left: batch, waitMs: REFUSED_WAIT_MS };
  }
  if (batch.length > 1) return { left: batch, waitMs: null, split: true };
  report(route, batch, [{ index: 0, code: error.code, pointer: "", detail: error.detail }]);
  return { left: [], waitMs: null };
}

function report(route: EventRoute, batch: readonly EventParcel[], refusals: readonly Refusal[]): void {
  for (const { index, code, pointer, detail } of refusals) {
    const parcel = batch[index];
    if (parcel === undefined) continue;
    const fault: Fault = { kind: "rejected", event: parcel.event, code, pointer: withinEvent(pointer), detail };
    route.onError(fault);
  }
}

/** In a batch the pointer begins with the event's index. */
function withinEvent(pointer: string): string {
  return pointer.replace(/^\/\d+/, "");
}

function toRefusal(fault: ProblemDetail): readonly Refusal[] {
  const index = /^\/(\d+)/.exec(fault.pointer)?.[1];
  return index === undefined ? [] : [{ ...fault, index: Number(index) }];
}

/** Reads the answer to a batch: an answer that does not say what was accepted has accepted nothing. */
function toRefusals(body: unknown): readonly Refusal[] | undefined {
  if (!isObject(body) || typeof body["accepted"] !== "number" || !Array.isArray(body["rejected"])) return undefined;
  return body["rejected"].filter(isRefusal);
}

function isRefusal(value: unknown): value is Refusal {
  return isProblemDetail(value) && typeof (value as { index?: unknown }).index === "number";
}
