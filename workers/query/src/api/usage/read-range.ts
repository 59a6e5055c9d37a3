import { type ProblemDetail, RANGE_DAYS_MAX } from "@tidemark/contract";
import type { MetricDefinition } from "@tidemark/contract/metric-schema";
import type { UsageQuery } from "@tidemark/contract/usage-schema";
import { bucketAt, intervalStart, type Span } from "@tidemark/core/buckets";
import { fractionalOffset, startOfDate } from "@tidemark/core/time-zone";
import { DAY_MS, HOUR_MS, parseTimestamp } from "@tidemark/core/timestamp";
import { invalid } from "../../plumbing/issues.ts";

type RangeQuery = Pick<UsageQuery, "from" | "to" | "grain">;

/**
 * The span that a usage query asks for, in whole hours, because usage is kept by the hour: part of an
 * hour is taken whole. Without `to` it ends with the bucket of now, without `from` it begins the metric's
 * default interval before its end.
 *
 * @throws Problem invalid_request.
 */
export function readRange(
  query: RangeQuery,
  metric: Pick<MetricDefinition, "default_interval">,
  clock: { readonly now: number; readonly timeZone: string },
): Span {
  const { now, timeZone } = clock;
  const to = query.to === undefined ? undefined : readPoint(query.to, "to", timeZone);
  const end = to ?? bucketAt(now, query.grain, timeZone).end;
  const start =
    query.from === undefined
      ? startOfInterval(to === undefined ? now : end - 1, metric, timeZone)
      : readPoint(query.from, "from", timeZone);
  if (start >= end) throw fault("from", "Must be before `to`.");
  // Without `to`, the rest of the last bucket is still to come and asks for nothing.
  if (Math.floor(((to ?? now) - start) / DAY_MS) > RANGE_DAYS_MAX) {
    throw fault("from", `Must be at most ${RANGE_DAYS_MAX} days before \`to\`; ask for a shorter range.`);
  }
  const span = { start: Math.floor(start / HOUR_MS) * HOUR_MS, end: Math.ceil(end / HOUR_MS) * HOUR_MS };
  const offset = fractionalOffset(timeZone, span.start, span.end);
  if (offset !== undefined) {
    throw fault(
      "tz",
      `${timeZone} is ${offset} from UTC in this range, and usage is kept by the hour of UTC: use tz=UTC, or a zone that is a whole number of hours away.`,
    );
  }
  return span;
}

function startOfInterval(last: number, metric: Pick<MetricDefinition, "default_interval">, timeZone: string): number {
  const longest = intervalStart(last, { count: RANGE_DAYS_MAX, period: "days" }, timeZone);
  return Math.max(intervalStart(last, metric.default_interval, timeZone), longest);
}

function readPoint(text: string, name: "from" | "to", timeZone: string): number {
  const date = startOfDate(text, timeZone);
  if (!Number.isNaN(date)) return date;
  // A plus sign that was not escaped in the query arrives as a space.
  const instant = parseTimestamp(text.replace(" ", "+"));
  if (Number.isNaN(instant))
    throw fault(name, "Must be a day (2026-11-01) or RFC 3339 with an offset (2026-11-01T12:00:00Z).");
  return instant;
}

function fault(name: string, detail: string): Error {
  const error: ProblemDetail = { pointer: `/${name}`, code: "invalid_value", detail };
  return invalid([error]);
}
