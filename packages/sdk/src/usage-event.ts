/** A value that JSON can hold. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined };

/** What an event says besides who and when; metrics filter by it, sum it and split by it. */
export type Properties = Readonly<Record<string, Json | undefined>>;

/** Something that happened, as the caller tells it. */
export interface TrackInput {
  /** Its name, such as `api_request`. */
  readonly event: string;
  /** Who is charged: the organisation, not its key. */
  readonly customer_id: string;
  /** An event is counted once for each id. Left out, the client makes one. */
  readonly id?: string | undefined;
  /** When it happened: RFC 3339, a Date, or unix seconds or milliseconds. Left out, it is now. */
  readonly timestamp?: string | number | Date | undefined;
  readonly properties?: Properties | undefined;
}

/** An event as it is sent, with an id and a time that never change however often it is tried. */
export interface UsageEvent {
  readonly id: string;
  readonly event: string;
  readonly customer_id: string;
  readonly timestamp: string | number;
  readonly properties: Properties;
}

/** Completes an event: `id` and `now` (milliseconds) fill in for what the caller left out. */
export function toUsageEvent(input: TrackInput, id: string, now: number): UsageEvent {
  const timestamp = input.timestamp ?? new Date(now);
  return {
    id: input.id ?? id,
    event: input.event,
    customer_id: input.customer_id,
    timestamp: timestamp instanceof Date ? timestamp.toISOString() : timestamp,
    properties: input.properties ?? {},
  };
}
