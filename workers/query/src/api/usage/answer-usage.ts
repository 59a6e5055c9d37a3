import type { MetricDefinition } from "@tidemark/contract/metric-schema";
import { USAGE_ROWS_MAX } from "@tidemark/contract/query-limits";
import type { Usage, UsageQuery } from "@tidemark/contract/usage-schema";
import { bucketsOf } from "@tidemark/core/buckets";
import { type DayPlan, daysOfPlan, planDays } from "@tidemark/core/day-plan";
import { type CounterView, type UsageFigure, UsageFold } from "@tidemark/core/usage-fold";
import type { QueryEnv } from "../../env.ts";
import { FoldBudget } from "../../fold-budget.ts";
import { toInstantText } from "../../plumbing/instant.ts";
import { requireProject } from "../../project.ts";
import { requireMetric } from "../metrics/metric.ts";
import { readCounters, toViews } from "./counters.ts";
import { type CustomerMarks, readCustomerDays } from "./read-customer-days.ts";
import { readProjectFigures } from "./read-project-figures.ts";
import { readRange } from "./read-range.ts";
import { readSelection } from "./read-selection.ts";
import { toUsageRows } from "./to-usage-rows.ts";

/**
 * Usage of one metric over time, of one customer or of the whole project.
 *
 * @throws Problem not_found, invalid_request.
 */
export async function answerUsage(env: QueryEnv, projectId: string, query: UsageQuery): Promise<Usage> {
  const [project, metric] = await Promise.all([
    requireProject(env.DB, projectId),
    requireMetric(env.DB, projectId, query.metric),
  ]);
  const timeZone = query.tz ?? project.time_zone;
  const selection = readSelection(query, metric);
  const span = readRange(query, metric, { now: Date.now(), timeZone });
  const buckets = bucketsOf(span, query.grain, timeZone);
  const counters = (await readCounters(env.DB, projectId, [metric])).get(metric.id) ?? [];
  const question = { metric, plan: planDays(buckets), views: toViews(counters, selection) };
  const { figures, ...marks } =
    query.customer_id === undefined
      ? await readAll(env, projectId, question)
      : await readOne(env, { project_id: projectId, customer_id: query.customer_id }, question);
  return {
    metric: metric.slug,
    unit: metric.unit,
    customer_id: query.customer_id ?? null,
    segment: selection.segment,
    grain: query.grain,
    time_zone: timeZone,
    from: toInstantText(span.start),
    to: toInstantText(span.end),
    as_of: toInstantText(marks.as_of),
    approximate: figures.some(({ approximate }) => approximate),
    live: marks.live,
    rejected: marks.rejected,
    overflow: marks.overflow,
    data: toUsageRows(figures, buckets, { metric, labels: selection.labels }),
  };
}

interface Question {
  readonly metric: MetricDefinition;
  readonly plan: DayPlan;
  readonly views: readonly CounterView[];
}

interface Answer extends Omit<CustomerMarks, "known"> {
  readonly figures: readonly UsageFigure[];
}

async function readAll(env: QueryEnv, projectId: string, { metric, plan, views }: Question): Promise<Answer> {
  const as_of = Date.now();
  const { aggregation } = metric;
  const read = await readProjectFigures(env.DB, {
    project_id: projectId,
    aggregation,
    plan,
    views,
    rowsMax: USAGE_ROWS_MAX,
  });
  return { ...read, as_of, live: false };
}

async function readOne(
  env: QueryEnv,
  address: { readonly project_id: string; readonly customer_id: string },
  { metric, plan, views }: Question,
): Promise<Answer> {
  const { aggregation } = metric;
  const fold = new UsageFold(aggregation, plan);
  const readings = views.map((view) => ({ view, aggregation, plan, fold }));
  const span = daysOfPlan(plan) ?? { first: 0, last: -1 };
  const budget = new FoldBudget("/from", "Ask for fewer days.");
  const marks = await readCustomerDays(env, address, span, { readings, budget });
  return { figures: fold.figures(), ...marks };
}
