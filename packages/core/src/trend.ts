import { changeOf } from "./change.ts";
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
const TREND_THRESHOLDS = {
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
  /** The window without today, and the equal period before it. */
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

/** One rule. */
export interface TrendRule {
  readonly trend: Trend;
  /** How urgently somebody should look. */
  readonly stars: 0 | 1 | 2;
  /** The rule as it is printed. */
  readonly when: string;
  /** Why it matches, with the numbers; `undefined` when it does not. */
  readonly because: (input: TrendInput) => string | undefined;
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
  const change = changeOf(input.current, input.previous);
  for (const { trend, stars, because } of TREND_RULES) {
    const rule = because(input);
    if (rule !== undefined) return { trend, stars, change, rule, version: TREND_RULES_VERSION };
  }
  throw new Error("the last rule matches every customer");
}

/** The rules in the order in which they are tried. */
export const TREND_RULES: readonly TrendRule[] = [
  {
    trend: "new",
    stars: 0,
    when: `the first event is less than ${LIMIT.newBelowDays} days old`,
    because({ now, firstSeenAt }) {
      if (firstSeenAt === null || now - firstSeenAt >= LIMIT.newBelowDays * DAY_MS) return undefined;
      return `The first event was ${span(now - firstSeenAt)} ago; a customer is new for ${LIMIT.newBelowDays} days.`;
    },
  },
  {
    trend: "dormant",
    stars: 2,
    when: `no event for ${LIMIT.dormantFromDays} days or more`,
    because({ now, lastSeenAt }) {
      if (now - lastSeenAt < LIMIT.dormantFromDays * DAY_MS) return undefined;
      return `No event for ${span(now - lastSeenAt)}; ${LIMIT.dormantFromDays} days of silence are dormant.`;
    },
  },
  {
    trend: "check_in",
    stars: 1,
    when:
      `no event for ${LIMIT.quietFromHours} hours or more after being active on at least ${LIMIT.regularFromPercent}% of the days, ` +
      `or the last 7 days at ${LIMIT.fallenToPercent}% or less of the 7 days before`,
    because: (input) => wentQuiet(input) ?? hasFallen(input),
  },
  {
    trend: "growing",
    stars: 0,
    when: `up ${LIMIT.changeFromPercent}% or more on the equal period before`,
    because: (input) => movement(input, (up, enough) => up && enough, `${LIMIT.changeFromPercent}% or more is growing`),
  },
  {
    trend: "declining",
    stars: 0,
    when: `down ${LIMIT.changeFromPercent}% or more on the equal period before`,
    because: (input) =>
      movement(input, (up, enough) => !up && enough, `${LIMIT.changeFromPercent}% or more is declining`),
  },
  {
    trend: "steady",
    stars: 0,
    when: "none of these",
    because(input) {
      if (BigInt(input.previous) === 0n)
        return "Nothing was used in the equal period before, so there is no change to judge.";
      if (BigInt(input.current) === BigInt(input.previous)) return "The same as in the equal period before.";
      return movement(input, () => true, `less than ${LIMIT.changeFromPercent}% is steady`);
    },
  },
];

function wentQuiet(input: TrendInput): string | undefined {
  const { now, lastSeenAt, activeDays } = input;
  const days = daysCounted(input);
  if (now - lastSeenAt < LIMIT.quietFromHours * HOUR_MS || activeDays * 100 < days * LIMIT.regularFromPercent)
    return undefined;
  return (
    `No event for ${span(now - lastSeenAt)} after being active on ${activeDays} of ${days} days; ` +
    `from ${LIMIT.regularFromPercent}% of the days, ${LIMIT.quietFromHours} hours are a reason to ask.`
  );
}

/** Days that can have been active: those of the window since the first event, today and the first day included, in UTC. */
function daysCounted({ now, firstSeenAt, windowDays }: TrendInput): number {
  if (firstSeenAt === null) return windowDays;
  return Math.max(1, Math.min(windowDays, dayOf(now) - dayOf(firstSeenAt) + 1));
}

function hasFallen(input: TrendInput): string | undefined {
  const last7 = BigInt(input.last7);
  const previous7 = BigInt(input.previous7);
  if (previous7 <= 0n || last7 * 100n > previous7 * BigInt(LIMIT.fallenToPercent)) return undefined;
  const share = percent(last7, previous7);
  return `The last 7 days came to ${share} of the 7 days before; ${LIMIT.fallenToPercent}% or less is a reason to ask.`;
}

/** The change on the period before in words, when direction and size are what the rule asks for. */
function movement(
  input: TrendInput,
  matches: (up: boolean, enough: boolean) => boolean,
  threshold: string,
): string | undefined {
  const base = size(BigInt(input.previous));
  const difference = BigInt(input.current) - BigInt(input.previous);
  const enough = size(difference) * 100n >= base * BigInt(LIMIT.changeFromPercent);
  if (base === 0n || !matches(difference > 0n, enough)) return undefined;
  return `${difference > 0n ? "Up" : "Down"} ${percent(size(difference), base)} on the equal period before; ${threshold}.`;
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
