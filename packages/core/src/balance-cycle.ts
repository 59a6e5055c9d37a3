import { type Bucket, type Part, subtract, sumLeft } from "./bucket.ts";
import { addExact, type Exact } from "./exact.ts";
import type { Terms } from "./terms.ts";

/** Usage of an old cycle that came when it was final, counted in this one. */
export interface Adjustment {
  /** The cycle that it is about, by its start. */
  readonly cycle_start: number;
  units: Exact;
}

/** One cycle of a balance. Quantities are in the metric's smallest unit. */
export interface CycleState {
  /** Counts the cycles of this balance. */
  readonly index: number;
  readonly start: number;
  /** Half-open, in milliseconds. */
  end: number;
  /** What was granted with it, as the terms had it last; `null`: nothing is limited. */
  base: Exact | null;
  /** What the facts of the cycle came to, with its sign; with that of the cycles before where usage goes on. */
  used: Exact;
  /** What usage that goes on had come to when the cycle began. */
  used_before: Exact;
  /** Whether there were facts at all. */
  is_used: boolean;
  /** Of `latest`: when the value was said; `null` before. */
  said_at: number | null;
  /** Used though no bucket had it. */
  overage: Exact;
  /** Returned beyond what was used: the next use is paid from it. */
  credit: Exact;
  /** In the order in which they are burned. */
  buckets: Bucket[];
  /** What was burned, newest last, for what is returned. */
  burns: Part[];
  /** What a person took away. */
  deductions: Part[];
  granted: Exact;
  burned: Exact;
  expired: Exact;
  forfeited: Exact;
  /** What of the base paid the overage of earlier cycles. */
  repaid: Exact;
  /** Overage of earlier cycles with which this one began. */
  debt: Exact;
  adjustments: Adjustment[];
  /** Quantities by the segments of their events, as bits; only where a price asks. */
  segments: Record<string, Exact>;
  /** What it was closed by; `null` while it is open. */
  closed_by: ClosingRules | null;
}

/** What decides how a cycle ends; later terms do not close it differently. */
export type ClosingRules = Pick<Terms, "carryover" | "schedule">;

/** A cycle before its first event. */
export function newCycle(index: number, span: { readonly start: number; readonly end: number }): CycleState {
  return {
    index,
    start: span.start,
    end: span.end,
    base: null,
    used: 0,
    used_before: 0,
    is_used: false,
    said_at: null,
    overage: 0,
    credit: 0,
    buckets: [],
    burns: [],
    deductions: [],
    granted: 0,
    burned: 0,
    expired: 0,
    forfeited: 0,
    repaid: 0,
    debt: 0,
    adjustments: [],
    segments: {},
    closed_by: null,
  };
}

/** What could still be used. */
export function leftOf(cycle: CycleState): Exact {
  return sumLeft(cycle.buckets);
}

/** What the cycle grants, less what of it paid earlier overage; `null`: nothing is limited. */
export function limitOf({ base, repaid }: CycleState): Exact | null {
  return base === null ? null : subtract(base, repaid);
}

/** What the cycle had besides: carried units, top-ups, adjustments. */
export function carriedOf({ buckets }: CycleState): Exact {
  return buckets.reduce<Exact>((sum, { kind, units }) => addExact(sum, kind === "base" ? 0 : units), 0);
}

/** A bucket by its name, if the cycle has it. */
export function bucketOf({ buckets }: CycleState, id: string): Bucket | undefined {
  return buckets.find((bucket) => bucket.id === id);
}

/** The name of what a cycle's base granted. */
export function baseId(index: number): string {
  return `base:${index}`;
}

/** A bucket as it enters a cycle. */
export type Entry = Omit<Bucket, "left" | "held" | "lost">;
