import { zoned } from "./time-zone.ts";

/** An hour of the week, by a zone's clock. */
export interface WeeklyTime {
  /** 1 is Monday, 7 Sunday. */
  readonly weekday: number;
  /** 0 to 23. */
  readonly hour: number;
}

/**
 * When an hour of the week comes next after an instant, in milliseconds. Where a clock change skips the hour it is
 * what follows; where it repeats it, the first of both.
 */
export function weeklyAfter(instant: number, time: WeeklyTime, timeZone: string): number {
  const next = nearby(instant, time, timeZone).find((at) => at > instant);
  if (next === undefined) throw new Error("An hour of the week comes every week.");
  return next;
}

/** When it was last, the instant included. */
export function weeklyUntil(instant: number, time: WeeklyTime, timeZone: string): number {
  const last = nearby(instant, time, timeZone).findLast((at) => at <= instant);
  if (last === undefined) throw new Error("An hour of the week comes every week.");
  return last;
}

/** The hour of the weekday before the instant's date, of the one that may be that date, and of the one after it. */
function nearby(instant: number, { weekday, hour }: WeeklyTime, timeZone: string): readonly number[] {
  const today = zoned(instant, timeZone).toPlainDate();
  const ahead = (weekday - today.dayOfWeek + 7) % 7;
  return [ahead - 7, ahead, ahead + 7].map(
    (days) => today.add({ days }).toPlainDateTime({ hour }).toZonedDateTime(timeZone).epochMilliseconds,
  );
}
