import { DAY_MS } from "./timestamp.ts";
import { type Exact, formatExact } from "./exact.ts";

/** A change that a report looks for: usage beyond, or below, so many per cent of what was used before. */
export interface ChangeRule {
  readonly side: "above" | "below";
  /** Of what was used before; 130 is 30 % more. */
  readonly percent: number;
  /** The rule as it is printed. */
  readonly when: string;
}

/** Ready for more: usage grew by more than 30 %. */
export const GROWING: ChangeRule = {
  side: "above",
  percent: 130,
  when: "Up by more than 30% on the equal period before, in which something was used.",
};

/** About to leave: usage dropped by more than 50 %. */
export const DROPPING: ChangeRule = {
  side: "below",
  percent: 50,
  when: "Down by more than 50% on the equal period before, in which something was used.",
};

/**
 * Whether usage changed as a rule says. Exactly the rule's share is not enough: from 100 to 130 is 30 %, and not
 * more. Where nothing was used before, or less than nothing, there is no change to judge.
 *
 * @param value, previous in one unit, of two periods of equal length.
 */
export function hasChanged({ side, percent }: ChangeRule, value: Exact, previous: Exact): boolean {
  const base = BigInt(previous);
  if (base <= 0n) return false;
  const difference = BigInt(value) * 100n - base * BigInt(percent);
  return side === "above" ? difference > 0n : difference < 0n;
}

/** Silent for so many days, a customer is dormant. The same number as in the trend's rule. */
export const DORMANT_DAYS = 7;

export const DORMANT_RULE = `No event for ${DORMANT_DAYS} days or more, and something was used before.`;

/** The latest event, in milliseconds, after which a customer is dormant at an instant. */
export function dormantSince(now: number): number {
  return now - DORMANT_DAYS * DAY_MS;
}

/** Near a limit: so many per cent of what the cycle has are used. */
const NEAR_LIMIT_PERCENT = 80;

export const NEAR_LIMIT_RULE = `${NEAR_LIMIT_PERCENT}% or more of what the cycle has is used: its base, and what was carried or granted.`;

/**
 * Whether usage is near a limit, or beyond it. Exactly 80 % is. Who has nothing to use is near as soon as
 * something is used, and who has used nothing never is.
 *
 * @param used, allowance in one unit.
 */
export function isNearLimit(used: Exact, allowance: Exact): boolean {
  const amount = BigInt(used);
  return amount > 0n && amount * 100n >= BigInt(allowance) * BigInt(NEAR_LIMIT_PERCENT);
}

/** The busiest hours of the day, and the share from which usage comes in bursts: four times their even share. */
const BURST_HOURS = 3;
const BURSTY_PERCENT = 50;

export const RHYTHM_RULE = `The busiest ${BURST_HOURS} hours of the day hold ${BURSTY_PERCENT}% or more of the usage: bursty; else steady.`;

/** When in the day something is used. */
export interface Rhythm {
  /** The busiest hour, the first of equals. */
  readonly peak_hour: number;
  readonly peak: bigint;
  /** What the busiest hours come to. */
  readonly busiest: bigint;
  readonly rhythm: "bursty" | "steady";
}

/**
 * How usage is spread over the day. What was given back in an hour counts as nothing there.
 *
 * @param hours one quantity for each hour of the day, in one unit.
 * @returns `undefined` when nothing was used.
 */
export function rhythmOf(hours: readonly Exact[]): Rhythm | undefined {
  const used = hours.map((value, hour) => ({ hour, value: BigInt(value) > 0n ? BigInt(value) : 0n }));
  const total = used.reduce((sum, { value }) => sum + value, 0n);
  const busiest = used.toSorted((a, b) => Number(b.value > a.value) - Number(b.value < a.value) || a.hour - b.hour);
  const [first] = busiest;
  if (total === 0n || first === undefined) return undefined;
  const most = busiest.slice(0, BURST_HOURS).reduce((sum, { value }) => sum + value, 0n);
  const isBursty = most * 100n >= total * BigInt(BURSTY_PERCENT);
  return { peak_hour: first.hour, peak: first.value, busiest: most, rhythm: isBursty ? "bursty" : "steady" };
}

export const ERROR_RULE = "Statuses 400 to 499 and 500 to 599 are errors; every other status, or none, is not.";

/** Digits of a share behind the point: a hundredth of a per cent. */
const PLACES = 4;

/**
 * A part of a whole as a decimal of at most 4 places, halves away from zero; `null` where the whole is 0 or less.
 *
 * @example shareOf(1, 3) // "0.3333"
 */
export function shareOf(part: Exact, whole: Exact): string | null {
  const base = BigInt(whole);
  if (base <= 0n) return null;
  const scaled = BigInt(part) * 10n ** BigInt(PLACES);
  const half = scaled < 0n ? -base : base;
  return formatExact((scaled * 2n + half) / (base * 2n), PLACES);
}

/**
 * The same, cut off: a share just under a line must not read as if it had reached it.
 *
 * @example cutShareOf(79_999, 100_000) // "0.7999"
 */
export function cutShareOf(part: Exact, whole: Exact): string | null {
  const base = BigInt(whole);
  return base <= 0n ? null : formatExact((BigInt(part) * 10n ** BigInt(PLACES)) / base, PLACES);
}
