import type { Temporal } from "temporal-polyfill";
import type { Span } from "./buckets.ts";
import { zoned } from "./time-zone.ts";

/** How long a cycle is. It says nothing about what a chart spans: that is a metric's interval. */
export interface CycleInterval {
  /** A whole number, at least 1. */
  readonly count: number;
  readonly period: "days" | "weeks" | "months" | "years";
}

/** How a customer's cycles follow each other. */
export interface Schedule {
  readonly interval: CycleInterval;
  /** Where cycle 0 begins, in milliseconds. Cycles before it are counted downwards. */
  readonly anchor: number;
  /** The IANA name of the zone in whose calendar the interval is added. */
  readonly time_zone: string;
}

/** One cycle: a span that is never empty, and its number from the anchor. */
export interface CycleSpan extends Span {
  readonly index: number;
}

/**
 * Where cycle `index` begins, in milliseconds.
 *
 * It is what the zone's clock showed at the anchor plus `index` intervals, always added to the anchor
 * itself: a month that is too short takes its last day, and the month after it the anchor's day again.
 * A local time that a clock change skips moves forward by what was skipped. One that occurs twice is the
 * first of the two, except that boundary 0 is the anchor, whichever of the two it was.
 *
 * Boundaries never go back. Two coincide where a zone skipped a whole day, as Samoa did on 30 December
 * 2011: the cycle between them is empty, and nothing happens in it.
 *
 * @throws RangeError when the zone is unknown, or the boundary further from 1970 than 100 million days.
 */
export function boundaryOf(schedule: Schedule, index: number): number {
  // The clock's reading does not tell which of two equal ones the anchor was.
  if (index === 0) return schedule.anchor;
  const { count, period } = schedule.interval;
  return anchorClock(schedule)
    .add({ [period]: index * count }, { overflow: "constrain" })
    .toZonedDateTime(schedule.time_zone, { disambiguation: "compatible" }).epochMilliseconds;
}

/**
 * The cycle in which an instant lies: `start <= instant < end`. The cycle after it is the one at its
 * `end`, whose number is greater by one, or by more where empty cycles lie between.
 *
 * @throws RangeError as `boundaryOf` does.
 * @example
 * cycleAt({ interval: { count: 1, period: "months" }, anchor: Date.parse("2026-01-31T00:00Z"), time_zone: "UTC" },
 *   Date.parse("2026-03-05T12:00Z")) // { index: 1, start: 28 February, end: 31 March }
 */
export function cycleAt(schedule: Schedule, instant: number): CycleSpan {
  let index = estimateIndex(schedule, instant);
  let start = boundaryOf(schedule, index);
  while (start > instant) start = boundaryOf(schedule, --index);
  let end = boundaryOf(schedule, index + 1);
  while (end <= instant) {
    start = end;
    end = boundaryOf(schedule, ++index + 1);
  }
  return { index, start, end };
}

/** Off by a step or two at most: the calendar is right, while clamped days and changed clocks are left out. */
function estimateIndex(schedule: Schedule, instant: number): number {
  const { count, period } = schedule.interval;
  const clock = zoned(instant, schedule.time_zone).toPlainDateTime();
  return Math.floor(anchorClock(schedule).until(clock, { largestUnit: period })[period] / count);
}

/** What the zone's clock showed at the anchor. */
function anchorClock({ anchor, time_zone }: Schedule): Temporal.PlainDateTime {
  return zoned(anchor, time_zone).toPlainDateTime();
}
