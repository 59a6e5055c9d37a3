import { lastDays, type Span } from "@tidemark/core/buckets";
import { DAY_MS } from "@tidemark/core/timestamp";
import { dateOf } from "@tidemark/core/time-zone";
import { dayZone } from "../../day-zone.ts";
import type { ReportSubject } from "./report-subject.ts";

/** The days that a report looks at, the last of them today. */
export interface ReportWindow {
  readonly time_zone: string;
  /** Oldest first. */
  readonly days: readonly Span[];
  /** All of them as one. */
  readonly span: Span;
  /** `YYYY-MM-DD`, both included. */
  readonly from: string;
  readonly to: string;
}

/** The last `count` days, today included, of the project's zone, or of UTC where that is not whole hours away. */
export function reportWindow({ project, now }: Pick<ReportSubject, "project" | "now">, count: number): ReportWindow {
  const time_zone = dayZone(project.time_zone, now - (count + 1) * DAY_MS, now + DAY_MS);
  const days = lastDays(now, count, time_zone);
  const span = joinDays(days);
  return { time_zone, days, span, ...datesOf(span, time_zone) };
}

/** Consecutive days as one span; without days, an empty one. */
export function joinDays(days: readonly Span[]): Span {
  return { start: days[0]?.start ?? 0, end: days.at(-1)?.end ?? 0 };
}

/** The first and the last date of a span. */
export function datesOf({ start, end }: Span, timeZone: string): { readonly from: string; readonly to: string } {
  return { from: dateOf(start, timeZone), to: dateOf(end - 1, timeZone) };
}
