import type { JobAnswer } from "@tidemark/contract/job-schema";
import { DAY_MS, dayOf, formatDay } from "@tidemark/core/timestamp";
import type { Job } from "@tidemark/db/jobs";
import { invalid } from "../../plumbing/issues.ts";
import { toInstantText, toOptionalInstant } from "../../plumbing/instant.ts";

/** A job as it is answered. */
export function toAnswer({ params, progress, ...job }: Job): JobAnswer {
  const { metric, customer_id, from_day, to_day } = params;
  return {
    id: job.id,
    kind: job.kind,
    state: job.state,
    metric: metric?.slug ?? null,
    version: metric?.version ?? null,
    customer_id,
    from: from_day === 0 ? null : formatDay(from_day),
    to: formatDay(to_day),
    phase: progress.phase,
    objects: progress.objects,
    objects_total: progress.objects_total,
    events: progress.query?.matched ?? progress.events,
    uncounted: progress.uncounted,
    customers: progress.customers,
    days: progress.days,
    pending: progress.pending,
    difference_count: progress.difference_count,
    error: progress.error,
    differences: progress.differences.map((difference) => ({
      ...difference,
      day: difference.day === null ? null : formatDay(difference.day),
    })),
    query: params.query?.question ?? null,
    result: progress.query?.result ?? null,
    created_at: toInstantText(job.created_at),
    updated_at: toInstantText(job.updated_at),
    finished_at: toOptionalInstant(job.finished_at),
  };
}

/**
 * The UTC days of a range.
 *
 * @throws Problem invalid_request for one that is empty or has not begun.
 */
export function readDays(
  range: { readonly from?: string | undefined; readonly to?: string | undefined },
  now: number,
): { readonly from_day: number; readonly to_day: number } {
  const today = dayOf(now);
  const from_day = range.from === undefined ? 0 : Math.max(dayOf(Date.parse(range.from)), 0);
  const to_day = range.to === undefined ? today : Math.min(dayOf(Date.parse(range.to) - 1), today);
  if (from_day > today) throw refused("/from", "Lies in the future: there is nothing to count yet.");
  if (to_day < from_day) throw refused("/to", "Must be after `from`.");
  return { from_day, to_day };
}

/** The first instant of a UTC day. */
export function startOfDay(day: number): number {
  return day * DAY_MS;
}

export function refused(pointer: string, detail: string): Error {
  return invalid([{ pointer, code: "invalid_value", detail }]);
}
