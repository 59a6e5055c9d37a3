import { RANGE_DAYS_MAX } from "@tidemark/contract";
import type { QueryRange } from "@tidemark/contract/query-schema";
import { bucketAt, lastDays, type Span } from "@tidemark/core/buckets";
import { fractionalOffset, startOf, startOfDate, zoned } from "@tidemark/core/time-zone";
import { DAY_MS, HOUR_MS, parseTimestamp } from "@tidemark/core/timestamp";
import { dayZone } from "../../day-zone.ts";
import { invalid } from "../../plumbing/issues.ts";

/** The time that a question is about, and what it is compared with. */
export interface Period {
  readonly time_zone: string;
  /** Whole hours. */
  readonly span: Span;
  /** As many days before. */
  readonly previous: Span;
  /** Where the day begins that is not over; `null` when the whole span is. */
  readonly incomplete_from: number | null;
  /** Both without that day; `null` where nothing would be left, and both spans when it is over. */
  readonly compared: { readonly current: Span; readonly previous: Span } | null;
}

interface Clock {
  readonly now: number;
  /** The zone that was asked for, and the project's. */
  readonly tz: string | undefined;
  readonly projectZone: string;
}

/**
 * Reads a range in a zone.
 *
 * @throws Problem invalid_request.
 */
export function readPeriod(range: QueryRange, { now, tz, projectZone }: Clock): Period {
  const read = readSpan(range, { now, timeZone: tz ?? projectZone });
  const far = read.start - (read.end - read.start) - DAY_MS;
  const time_zone = tz ?? dayZone(projectZone, far, Math.max(read.end, now + DAY_MS));
  const offset = fractionalOffset(time_zone, far, read.end);
  if (offset !== undefined)
    throw fault(
      "/tz",
      `${time_zone} is ${offset} from UTC in this range, and usage is kept by the hour of UTC: use UTC, or a zone that is a whole number of hours away.`,
    );
  const whole = time_zone === (tz ?? projectZone) ? read : readSpan(range, { now, timeZone: time_zone });
  const span = { start: Math.floor(whole.start / HOUR_MS) * HOUR_MS, end: Math.ceil(whole.end / HOUR_MS) * HOUR_MS };
  const previous = { start: shift(span.start, span, -1, time_zone), end: span.start };
  if (span.end <= now)
    return { time_zone, span, previous, incomplete_from: null, compared: { current: span, previous } };
  const incomplete_from = Math.max(bucketAt(now, "day", time_zone).start, span.start);
  const current = { start: span.start, end: incomplete_from };
  const compared =
    current.end <= current.start
      ? null
      : { current, previous: { start: previous.start, end: shift(previous.start, current, 1, time_zone) } };
  return { time_zone, span, previous, incomplete_from, compared };
}

/** An instant, as far before or after as a span is long: in days of the zone where it begins and ends with one. */
function shift(at: number, { start, end }: Span, direction: 1 | -1, timeZone: string): number {
  const from = zoned(start, timeZone).toPlainDate();
  const to = zoned(end, timeZone).toPlainDate();
  const isWhole = startOf(from, timeZone) === start && startOf(to, timeZone) === end;
  if (!isWhole) return at + direction * (end - start);
  const { days } = from.until(to, { largestUnit: "day" });
  return startOf(
    zoned(at, timeZone)
      .toPlainDate()
      .add({ days: direction * days }),
    timeZone,
  );
}

/**
 * A range as it is written.
 *
 * @throws Problem invalid_request.
 */
export function readSpan(
  { days, from, to }: QueryRange,
  { now, timeZone }: { readonly now: number; readonly timeZone: string },
): Span {
  const today = bucketAt(now, "day", timeZone);
  if (from === undefined) return { start: lastDays(now, days ?? 1, timeZone)[0]?.start ?? today.start, end: today.end };
  const start = readPoint(from, "/range/from", timeZone);
  const end = to === undefined ? today.end : readPoint(to, "/range/to", timeZone);
  if (start >= end) throw fault("/range/from", "Must be before `to`.");
  if (start > now) throw fault("/range/from", "Lies in the future: there is nothing to count yet.");
  if (Math.floor((end - start) / DAY_MS) > RANGE_DAYS_MAX)
    throw fault("/range/from", `Must be at most ${RANGE_DAYS_MAX} days before \`to\`; ask for a shorter range.`);
  return { start, end };
}

function readPoint(text: string, pointer: string, timeZone: string): number {
  const date = startOfDate(text, timeZone);
  const instant = Number.isNaN(date) ? parseTimestamp(text) : date;
  if (Number.isNaN(instant))
    throw fault(pointer, "Must be a day (2026-11-01) or RFC 3339 with an offset (2026-11-01T12:00:00Z).");
  return instant;
}

function fault(pointer: string, detail: string): Error {
  return invalid([{ pointer, code: "invalid_value", detail }]);
}
