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

/**
 * The spans that reports put in one figure. `window` is what was asked for and `before` as many days
 * before it. `current` and `previous` compare like with like: both windows without their last day, because
 * today is not over. `last7` and `previous7` are the last whole days.
 */
export type WindowName = "window" | "before" | "current" | "previous" | "last7" | "previous7";

/** Which of the days each span holds, from the first to before the end. */
export function spansOf({ days, dates }: Windows): ReadonlyMap<WindowName, readonly [from: number, end: number]> {
  const end = days.length;
  const today = end - 1;
  const count = dates.length;
  const spans: readonly (readonly [WindowName, number, number])[] = [
    ["window", end - count, end],
    ["before", end - 2 * count, end - count],
    ["current", end - count, today],
    ["previous", end - 2 * count, today - count],
    ["last7", today - 7, today],
    ["previous7", today - 14, today - 7],
  ];
  return new Map(spans.map(([name, from, until]) => [name, [Math.max(from, 0), Math.max(until, 0)]]));
}
