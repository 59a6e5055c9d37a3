import { type Exact, formatExact } from "./exact.ts";
import { DAY_MS, HOUR_MS, dayOf } from "./timestamp.ts";

/**
 * How a customer's usage is developing.
 *
 * The classes are those of the table that support and sales people read: who is new, who went silent,
 * who is worth a call, who grows and who shrinks. The rules are printed under every table; whoever
 * changes a threshold or the order raises `TREND_RULES_VERSION`.
 */
export type Trend = "new" | "dormant" | "check_in" | "growing" | "declining" | "steady";

export const TREND_RULES_VERSION = 1;

/** Every number that the rules use. */
export const TREND_THRESHOLDS = {
  /** The first event is younger than this. */
  newBelowDays: 14,
  /** Silent for at least this long. */
  dormantFromDays: 7,
  /** Silent for at least this long, for a customer who is usually there. */
  quietFromHours: 36,
  /** "Usually there": active on at least this share of the days. */
  regularFromPercent: 80,
  /** The last 7 days are at most this share of the 7 days before. */
  fallenToPercent: 50,
  /** The change on the equal period before, up or down. */
  changeFromPercent: 30,
} as const;

const LIMIT = TREND_THRESHOLDS;

/** One printed rule; `stars` is how urgently somebody should look. */
export interface TrendRule {
  readonly trend: Trend;
  readonly stars: 0 | 1 | 2;
  readonly when: string;
}

/** The rules in the order in which they are tried: the first that matches decides. */
export const TREND_RULES = [
  { trend: "new", stars: 0, when: `the first event is less than ${LIMIT.newBelowDays} days old` },
  { trend: "dormant", stars: 2, when: `no event for ${LIMIT.dormantFromDays} days or more` },
  {
    trend: "check_in",
    stars: 1,
    when:
      `no event for ${LIMIT.quietFromHours} hours or more after being active on at least ${LIMIT.regularFromPercent}% of the days, ` +
      `or the last 7 days at ${LIMIT.fallenToPercent}% or less of the 7 days before`,
  },
  { trend: "growing", stars: 0, when: `up ${LIMIT.changeFromPercent}% or more on the equal period before` },
  { trend: "declining", stars: 0, when: `down ${LIMIT.changeFromPercent}% or more on the equal period before` },
  { trend: "steady", stars: 0, when: "none of these" },
] as const satisfies readonly TrendRule[];

/** What the rules look at. Quantities are in one unit; the two sides of a comparison span equally many whole days. */
export interface TrendInput {
  /** The time of the report, in milliseconds. */
  readonly now: number;
  /** The customer's first event ever, in milliseconds; `null` when it is not known, which counts as long ago. */
  readonly firstSeenAt: number | null;
  /** The latest event, in milliseconds. */
  readonly lastSeenAt: number;
  /** Days of the window that have an event. */
  readonly activeDays: number;
  readonly windowDays: number;
  /** The window without today, and as many days before it. */
  readonly current: Exact;
  readonly previous: Exact;
  /** The last 7 whole days, and the 7 before them. */
  readonly last7: Exact;
  readonly previous7: Exact;
}

/** A class with what led to it. */
export interface TrendVerdict {
  readonly trend: Trend;
  readonly stars: 0 | 1 | 2;
  /** `(current − previous) ÷ |previous|` as a decimal of at most 4 places, half away from zero; `null` when `previous` is 0. */
  readonly change: string | null;
  /** A sentence with the numbers that decided. */
  readonly rule: string;
  readonly version: typeof TREND_RULES_VERSION;
}

/**
 * Classifies a customer by the first of `TREND_RULES` that matches.
 *
 * The thresholds are closed (36 hours of silence are enough), except that a customer is no longer new
 * at exactly 14 days. Where nothing was used before there is no change, so such a customer is neither
 * growing nor declining. A negative quantity before is compared by its size, so that the sign of the
 * change always tells the direction.
 *
 * @example
 * classifyTrend({ now, firstSeenAt: now - 90 * DAY_MS, lastSeenAt: now - 48 * HOUR_MS, activeDays: 28,
 *   windowDays: 30, current: 620, previous: 600, last7: 100, previous7: 140 }).trend // "check_in"
 */
export function classifyTrend(input: TrendInput): TrendVerdict {
  const { trend, rule } = decide(input);
  const { stars } = TREND_RULES.find((entry) => entry.trend === trend) as TrendRule;
  return { trend, stars, change: change(input.current, input.previous), rule, version: TREND_RULES_VERSION };
}

function decide(input: TrendInput): { readonly trend: Trend; readonly rule: string } {
  const silence = input.now - input.lastSeenAt;
  const age = input.firstSeenAt === null ? Infinity : input.now - input.firstSeenAt;
  if (age < LIMIT.newBelowDays * DAY_MS) {
    return {
      trend: "new",
      rule: `The first event was ${span(age)} ago; a customer is new for ${LIMIT.newBelowDays} days.`,
    };
  }
  if (silence >= LIMIT.dormantFromDays * DAY_MS) {
    return {
      trend: "dormant",
      rule: `No event for ${span(silence)}; ${LIMIT.dormantFromDays} days of silence are dormant.`,
    };
  }
  const days = daysCounted(input);
  if (silence >= LIMIT.quietFromHours * HOUR_MS && input.activeDays * 100 >= days * LIMIT.regularFromPercent) {
    const limits = `from ${LIMIT.regularFromPercent}% of the days, ${LIMIT.quietFromHours} hours are a reason to ask`;
    return {
      trend: "check_in",
      rule: `No event for ${span(silence)} after being active on ${input.activeDays} of ${days} days; ${limits}.`,
    };
  }
  const last7 = BigInt(input.last7);
  const previous7 = BigInt(input.previous7);
  if (previous7 > 0n && last7 * 100n <= previous7 * BigInt(LIMIT.fallenToPercent)) {
    const share = percent(last7, previous7);
    return {
      trend: "check_in",
      rule: `The last 7 days came to ${share} of the 7 days before; ${LIMIT.fallenToPercent}% or less is a reason to ask.`,
    };
  }
  return byChange(BigInt(input.current), BigInt(input.previous), input.windowDays);
}

function byChange(
  current: bigint,
  previous: bigint,
  windowDays: number,
): { readonly trend: Trend; readonly rule: string } {
  if (previous === 0n)
    return {
      trend: "steady",
      rule: `Nothing was used in the ${windowDays} days before, so there is no change to judge.`,
    };
  const difference = current - previous;
  const grown = `${percent(size(difference), size(previous))} on the ${windowDays} days before`;
  const decides = size(difference) * 100n >= size(previous) * BigInt(LIMIT.changeFromPercent);
  if (decides && difference > 0n)
    return { trend: "growing", rule: `Up ${grown}; ${LIMIT.changeFromPercent}% or more is growing.` };
  if (decides) return { trend: "declining", rule: `Down ${grown}; ${LIMIT.changeFromPercent}% or more is declining.` };
  if (difference === 0n) return { trend: "steady", rule: `The same as in the ${windowDays} days before.` };
  return {
    trend: "steady",
    rule: `${difference > 0n ? "Up" : "Down"} ${grown}; less than ${LIMIT.changeFromPercent}% is steady.`,
  };
}

/** Days that can have been active: those of the window since the first event, today and the first day included. */
function daysCounted(input: TrendInput): number {
  if (input.firstSeenAt === null) return input.windowDays;
  return Math.max(1, Math.min(input.windowDays, dayOf(input.now) - dayOf(input.firstSeenAt) + 1));
}

function change(current: Exact, previous: Exact): string | null {
  const base = size(BigInt(previous));
  if (base === 0n) return null;
  const scaled = (BigInt(current) - BigInt(previous)) * 10_000n;
  const rounded = (size(scaled) * 2n + base) / (base * 2n);
  return formatExact(scaled < 0n ? -rounded : rounded, 4);
}

/** Cut off, never rounded up: a share just under a threshold must not read as if it had reached it. */
function percent(part: bigint, whole: bigint): string {
  const permille = (part * 1000n) / whole;
  return permille === 0n && part !== 0n ? "less than 0.1%" : `${formatExact(permille, 1)}%`;
}

function size(value: bigint): bigint {
  return value < 0n ? -value : value;
}

/** Whole hours under three days, whole days from there; cut off like every number that decides. */
function span(ms: number): string {
  const hours = Math.max(0, Math.floor(ms / HOUR_MS));
  if (hours < 1) return "less than an hour";
  if (hours < 72) return hours === 1 ? "1 hour" : `${hours} hours`;
  return `${Math.floor(hours / 24)} days`;
}
