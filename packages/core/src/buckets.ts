import type { Temporal } from "temporal-polyfill";
import { startOf, zoned } from "./time-zone.ts";
import { HOUR_MS } from "./timestamp.ts";

/** How usage is cut into rows. Weeks begin on Monday, as ISO 8601 has it. */
export type Grain = "hour" | "day" | "week" | "month";

/** A span of time, half-open, in milliseconds. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** How far back a question reaches: a metric's default interval. */
export interface Interval {
  readonly count: number;
  readonly period: "days" | "weeks" | "months" | "years";
}

/**
 * Cuts a span into hours, or into the days, weeks or months of a time zone. A day can have 23 or 25
 * hours there. The first and the last bucket are cut off where the span begins and ends.
 *
 * @param span whole hours.
 */
export function bucketsOf(span: Span, grain: Grain, timeZone: string): readonly Span[] {
  const buckets: Span[] = [];
  if (grain === "hour") {
    for (let start = span.start; start < span.end; start += HOUR_MS) buckets.push({ start, end: start + HOUR_MS });
    return buckets;
  }
  let { start } = span;
  let date = firstDate(zoned(start, timeZone).toPlainDate(), grain);
  while (start < span.end) {
    date = date.add(STEP[grain]);
    const end = Math.min(startOf(date, timeZone), span.end);
    // A date that a zone skipped altogether, as Samoa did on 30 December 2011, has no bucket.
    if (end > start) buckets.push({ start, end });
    start = Math.max(start, end);
  }
  return buckets;
}

/** The whole bucket that contains an instant. */
export function bucketAt(instant: number, grain: Grain, timeZone: string): Span {
  if (grain === "hour") {
    const start = Math.floor(instant / HOUR_MS) * HOUR_MS;
    return { start, end: start + HOUR_MS };
  }
  const date = firstDate(zoned(instant, timeZone).toPlainDate(), grain);
  return { start: startOf(date, timeZone), end: startOf(date.add(STEP[grain]), timeZone) };
}

/**
 * Where an interval begins whose last day is the one of `instant`: 7 days reach back to the start of the
 * day six days before, a month to the day after the same date of the month before.
 */
export function intervalStart(instant: number, { count, period }: Interval, timeZone: string): number {
  const today = zoned(instant, timeZone).toPlainDate();
  return startOf(today.subtract({ [period]: count }).add({ days: 1 }), timeZone);
}

/** The last `count` days of a zone, the unfinished day of `now` being the last of them. */
export function lastDays(now: number, count: number, timeZone: string): readonly Span[] {
  const start = intervalStart(now, { count, period: "days" }, timeZone);
  return bucketsOf({ start, end: bucketAt(now, "day", timeZone).end }, "day", timeZone);
}

const STEP = { day: { days: 1 }, week: { weeks: 1 }, month: { months: 1 } } as const;

function firstDate(date: Temporal.PlainDate, grain: Exclude<Grain, "hour">): Temporal.PlainDate {
  switch (grain) {
    case "day":
      return date;
    case "week":
      return date.subtract({ days: date.dayOfWeek - 1 });
    case "month":
      return date.with({ day: 1 });
  }
}
