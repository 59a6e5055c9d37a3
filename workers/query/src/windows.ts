import { type Span, lastDays } from "@tidemark/core/buckets";
import { DAY_MS } from "@tidemark/core/timestamp";
import { dateOf } from "@tidemark/core/time-zone";
import { dayZone } from "./day-zone.ts";

/** The last days of a project, today included, and what they are compared with. */
export interface Windows {
  readonly time_zone: string;
  /** Every day that is read, oldest first; the last is today. */
  readonly days: readonly Span[];
  /** The days of the window as `YYYY-MM-DD`; they are the last of `days`. */
  readonly dates: readonly string[];
}

/**
 * The days of a window of `count` days that ends today, with at least as many before it.
 *
 * @param atLeast how many days to read in all, if that is more.
 */
export function windowsOf(now: number, count: number, timeZone: string, atLeast = 0): Windows {
  const read = Math.max(2 * count, atLeast);
  const time_zone = dayZone(timeZone, now - (read + 1) * DAY_MS, now + DAY_MS);
  const days = lastDays(now, read, time_zone);
  return { time_zone, days, dates: days.slice(-count).map(({ start }) => dateOf(start, time_zone)) };
}

/** What two windows are compared by: their days but the last, because today is not over. */
export interface Comparison {
  readonly value: bigint;
  readonly previous: bigint;
}

/** Compares a window with the one before it, like with like. @param totals of every day, the last being today. */
export function compareWindows(totals: readonly bigint[], count: number): Comparison {
  const today = totals.length - 1;
  return { value: add(totals, today - count + 1, today), previous: add(totals, today - 2 * count + 1, today - count) };
}

/** The sum of some days, from the first to before the end. */
export function add(totals: readonly bigint[], from: number, end: number): bigint {
  return totals.slice(Math.max(from, 0), end).reduce((sum, total) => sum + total, 0n);
}
