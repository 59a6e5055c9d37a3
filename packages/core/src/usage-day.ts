/**
 * One label group's part of a day: what D1 keeps in a row's `detail` and what a meter answers live.
 * Values are whole numbers of the metric's smallest unit, as text.
 */
export interface DayGroup {
  /** One value per `group_by` of the metric; empty for a metric without labels. */
  readonly labels: readonly string[];
  readonly value: string;
  readonly events: number;
  /** Value per hour of the UTC day that has any, keyed 0–23. */
  readonly hours: Readonly<Record<string, string>>;
}

/** One customer's usage of one metric on one UTC day, absolute, as of `version`. */
export interface UsageDay {
  readonly metric_id: string;
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
}
