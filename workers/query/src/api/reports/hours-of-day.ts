import type { MetricDefinition } from "@tidemark/contract/metric-schema";
import type { HourOfDayAnswer, QuestionOf } from "@tidemark/contract/report-schema";
import { limitPlan, planDays } from "@tidemark/core/day-plan";
import { planHours } from "@tidemark/core/hour-plan";
import { RHYTHM_RULE, rhythmOf, shareOf } from "@tidemark/core/report-rules";
import { readCustomerFigures } from "@tidemark/db/top-customers";
import { clamp, toQuantity } from "../../quantity.ts";
import { rankUsers } from "./rank-users.ts";
import { aboutReport, readViews, type ReportSubject, requireAdditive } from "./report-subject.ts";
import { reportWindow } from "./report-window.ts";

/**
 * When in the day the top customers use a metric.
 *
 * @throws Problem invalid_request for a metric that does not add up.
 */
export async function hoursOfDay(
  db: D1Database,
  subject: ReportSubject,
  { days: count, limit }: Pick<QuestionOf<"hour-of-day">["params"], "days" | "limit">,
): Promise<HourOfDayAnswer> {
  const { project, metric } = subject;
  const aggregation = requireAdditive(metric);
  const { days, span, from, to, time_zone } = reportWindow(subject, count);
  const views = await readViews(db, subject);
  const ranked = await rankUsers(db, { ...subject, views, plan: planDays([span]) }, limit);
  const plan = planHours(days, time_zone);
  const counters = views.map((view) => ({ counter_id: view.counter_id, plan: limitPlan(plan, view) }));
  const ids = ranked.map(({ customer_id }) => customer_id);
  const figures = await readCustomerFigures(db, { project_id: project.id, counters, aggregation }, ids);
  const hoursOf = new Map(ids.map((id) => [id, Array.from({ length: HOURS_OF_DAY }, () => 0n)]));
  for (const { customer_id, bucket, total } of figures) {
    const hours = hoursOf.get(customer_id);
    if (hours !== undefined) hours[bucket] = total;
  }
  return {
    report: "hour-of-day",
    ...aboutReport(subject, { days: count, from, to, time_zone }, false),
    rule: RHYTHM_RULE,
    data: ranked.map(({ customer_id, name }, index) => ({
      rank: index + 1,
      customer_id,
      name,
      ...toHours(hoursOf.get(customer_id) ?? [], metric),
    })),
  };
}

const HOURS_OF_DAY = 24;

type Row = HourOfDayAnswer["data"][number];

/** The total is that of the hours, so that they add up to it also while usage changes. */
function toHours(hours: readonly bigint[], metric: MetricDefinition): Omit<Row, "rank" | "customer_id" | "name"> {
  const total = clamp(
    hours.reduce((sum, value) => sum + value, 0n),
    metric,
  );
  const rhythm = rhythmOf(hours);
  return {
    total: toQuantity(total, metric),
    hours: hours.map((value) => toQuantity(value, metric)),
    peak_hour: rhythm?.peak_hour ?? null,
    peak_share: rhythm === undefined ? null : shareOf(rhythm.peak, total),
    busiest_share: rhythm === undefined ? null : shareOf(rhythm.busiest, total),
    rhythm: rhythm?.rhythm ?? null,
  };
}
