import type { UsageDay, UsageEvent } from "@tidemark/core";

/**
 * What travels through the queues. Bodies are JSON text, so that any tool can read a dead letter.
 */

/** The event queue: the accepted events of one request, or a part of them. */
export interface EventMessage {
  readonly v: 1;
  readonly project_id: string;
  /** When ingest took the events, in milliseconds: the clock that decided their age, and the time of those without one. */
  readonly received_at: number;
  readonly events: readonly UsageEvent[];
}

/** The opening of an event message; the events, joined by commas, and `EVENT_MESSAGE_END` follow. */
export function eventMessageStart(projectId: string, receivedAt: number): string {
  return `{"v":1,"project_id":${JSON.stringify(projectId)},"received_at":${receivedAt},"events":[`;
}
export const EVENT_MESSAGE_END = "]}";

/** The rollup queue: what goes to D1. Everything in it is absolute, so that repeating it changes nothing. */
export type RollupMessage = UsageMessage | TouchedMessage | QuarantineMessage | NoticesMessage | NearLimitsMessage;

/** A meter's changed days. */
export interface UsageMessage {
  readonly kind: "usage";
  readonly project_id: string;
  readonly customer_id: string;
  readonly days: readonly UsageDay[];
}

/** What people want to be told of, once each: the id follows from what is said. */
export interface NoticesMessage {
  readonly kind: "notices";
  readonly project_id: string;
  readonly customer_id: string;
  readonly notices: readonly Notice[];
}

/** A customer's balances that came to four fifths of what their cycle has. */
export interface NearLimitsMessage {
  readonly kind: "near_limits";
  readonly project_id: string;
  readonly customer_id: string;
  readonly balances: readonly {
    readonly metric_id: string;
    readonly balance: string;
    /** Milliseconds. */
    readonly at: number;
    readonly cycle_end: number;
  }[];
}

/** What a notice tells of: the name of its webhook event without the `aggregator.`, or what it is. */
export type NoticeKind = "threshold_crossed" | "digest" | "webhook_test" | "destination_disabled";

export interface Notice {
  readonly id: string;
  readonly kind: NoticeKind;
  readonly metric_id: string;
  /** Milliseconds. */
  readonly at: number;
  /** JSON. */
  readonly body: string;
}

/** Customers that a batch of events reached for the first time, or whose meter now has something to flush. */
export interface TouchedMessage {
  readonly kind: "touched";
  readonly project_id: string;
  readonly at: number;
  readonly customers: readonly TouchedCustomer[];
}

export interface TouchedCustomer {
  readonly customer_id: string;
  /** The earliest event of the batch, when this was the meter's first. */
  readonly first_seen_at: number | null;
  /** A day that the meter is going to flush: the sweeper looks for it in D1 and wakes the meter when it is missing. */
  readonly watch: {
    readonly metric_id: string;
    readonly day: number;
    readonly version: number;
    readonly due_at: number;
  } | null;
}

/** Events that could not be counted, kept where a person can see them and put them back. */
export interface QuarantineMessage {
  readonly kind: "quarantine";
  readonly project_id: string;
  readonly entries: readonly QuarantineEntry[];
}

export type QuarantineReason =
  /** The id is known with other content; the first one counted. */
  | "conflict"
  /** The meter no longer remembers that far back, so it cannot tell whether the event was counted. */
  | "forgotten"
  /** Retried until the queue gave it up. */
  | "dead_letter"
  /** Not one of our messages. */
  | "unreadable";

export interface QuarantineEntry {
  /** Derived from the content, so that a redelivery writes the same row. */
  readonly id: string;
  readonly reason: QuarantineReason;
  readonly detail: string;
  readonly customer_id: string | null;
  readonly at: number;
  /** The queue message that replays it: an `EventMessage` as text, or whatever arrived. */
  readonly body: string;
}

/** The notification queue: notices that are in the database, to be delivered. Repeating it changes nothing. */
export type NotificationMessage = NotifyMessage | DeliverMessage;

/** New notices: a delivery is made for each destination that wants them. */
export interface NotifyMessage {
  readonly kind: "notify";
  readonly project_id: string;
  readonly notice_ids: readonly string[];
}

/** A delivery whose next attempt is due. */
export interface DeliverMessage {
  readonly kind: "deliver";
  readonly project_id: string;
  /** Where to: what goes to one destination goes one after another. */
  readonly destination_id: string;
  readonly delivery_id: string;
  /** How many attempts there were when this was sent: another one has been made since where there are more. */
  readonly attempts: number;
}
