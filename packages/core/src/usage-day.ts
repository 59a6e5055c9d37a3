import type { Aggregation, RejectionCode } from "./metric.ts";

/**
 * Which ids were seen on a day, for distinct counts. While there are few, `ids` holds pairs: an id's
 * 52-bit hash, and a bit for each hour of the UTC day in which it was seen. Beyond a cap, HyperLogLog
 * sketches: `sketch` of the day, `hours` smaller ones by hour.
 */
export type DistinctIds =
  | { readonly ids: readonly number[] }
  | { readonly sketch: string; readonly hours: Readonly<Record<string, string>> };

/**
 * One label group's part of a day: what D1 keeps in a row's `groups` and what a meter answers live.
 * Values are whole numbers of the metric's smallest unit, as text; for `unique` the number of ids.
 */
export interface DayGroup {
  /** One value per `group_by` of the metric; empty for a metric without labels. */
  readonly labels: readonly string[];
  /** Bit `i`: the events of this group are in segment `i`. Absent: in none. */
  readonly segments?: number;
  readonly value: string;
  readonly events: number;
  /** Value per hour of the UTC day in which something counted, keyed 0–23. Empty for `unique`, whose ids carry the hours. */
  readonly hours: Readonly<Record<string, string>>;
  /** `latest` only: for each of `hours`, when its value was said and by which id's 52-bit hash; the later, then the higher, wins. */
  readonly said?: Readonly<Record<string, readonly [at: number, tie: number]>>;
  /** `unique` only, where the group is not the whole day. */
  readonly ids?: DistinctIds;
}

/** Events of a day that matched and could not be counted, for one reason. */
export interface Rejection {
  readonly code: RejectionCode;
  readonly events: number;
  /** The latest of them, and the text that was found in place of a value. */
  readonly example: { readonly id: string; readonly at: number; readonly found: string };
}

/** One customer's usage of one metric on one UTC day, absolute, as of `version`. */
export interface UsageDay {
  /** The counter: the metric's id, or that of one of its later versions. */
  readonly metric_id: string;
  readonly aggregation: Aggregation;
  /** Days since 1970-01-01. */
  readonly day: number;
  /** Grows with every change of the meter; a lower version never replaces a higher one. */
  readonly version: number;
  readonly value: string;
  /** Events that counted. */
  readonly events: number;
  /** Events that matched and had no usable value. */
  readonly rejected: number;
  /** When the latest counted event happened, in milliseconds. */
  readonly last_at: number;
  readonly groups: readonly DayGroup[];
  /** `unique` only: the ids of all groups together. */
  readonly ids?: DistinctIds;
  readonly rejections?: readonly Rejection[];
}
