import { Temporal } from "temporal-polyfill";
import { HOUR_MS } from "./timestamp.ts";

/** Names only: `Intl` also takes offsets like `+02:00`, which are no place and know no summer. */
const NAME = /^[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+){0,3}$/;
const NAME_LENGTH_MAX = 64;

/** Whether a text names a time zone of the IANA database. */
export function isTimeZone(name: string): boolean {
  if (name.length > NAME_LENGTH_MAX || !NAME.test(name)) return false;
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name);
    return true;
  } catch {
    return false;
  }
}

/**
 * The first offset of a zone between two instants that is not a whole number of hours (`+05:30`), or
 * `undefined` when usage kept by the hour can be recomposed there exactly.
 */
export function fractionalOffset(timeZone: string, from: number, to: number): string | undefined {
  let at: Temporal.ZonedDateTime | null = zoned(from, timeZone);
  while (at !== null && (at.epochMilliseconds < to || at.epochMilliseconds === from)) {
    if ((at.offsetNanoseconds / 1e6) % HOUR_MS !== 0) return at.offset;
    at = at.getTimeZoneTransition("next");
  }
  return undefined;
}

/** The calendar date of an instant, `YYYY-MM-DD`. */
export function dateOf(instant: number, timeZone: string): string {
  return zoned(instant, timeZone).toPlainDate().toString();
}

/**
 * The first instant of a calendar date: 00:00, or what follows a midnight that a clock change skips.
 *
 * @returns milliseconds, or `NaN` when the text is not `YYYY-MM-DD` or the date does not exist.
 */
export function startOfDate(date: string, timeZone: string): number {
  if (!/^\d{4}-\d\d-\d\d$/.test(date)) return NaN;
  try {
    return startOf(Temporal.PlainDate.from(date), timeZone);
  } catch {
    return NaN;
  }
}

/** An instant as a zone's clock shows it. */
export function zoned(instant: number, timeZone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(timeZone);
}

/** The first instant of a date, in milliseconds. */
export function startOf(date: Temporal.PlainDate, timeZone: string): number {
  return date.toZonedDateTime(timeZone).epochMilliseconds;
}
