import type { MetricDefinition } from "@tidemark/contract/metric-schema";
import { USAGE_ROWS_MAX } from "@tidemark/contract/query-limits";
import type { Usage, UsageQuery } from "@tidemark/contract/usage-schema";
import { bucketsOf } from "@tidemark/core/buckets";
import { type DayPlan, daysOfPlan, planDays } from "@tidemark/core/day-plan";
import { countRejected, sumProjectUsage } from "@tidemark/db/project-usage";
import type { QueryEnv } from "../../env.ts";
import { invalid } from "../../plumbing/issues.ts";
import { toInstantText } from "../../plumbing/instant.ts";
import { requireProject } from "../../project.ts";
import { requireMetric } from "../metrics/metric.ts";
import { readRange } from "./read-range.ts";
import { sumCustomerUsage, type UsageFigures } from "./sum-customer-usage.ts";
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
  const labels = query.group_by === undefined ? null : chooseLabels(query.group_by, metric);
  const span = readRange(query, metric, { now: Date.now(), timeZone });
  const buckets = bucketsOf(span, query.grain, timeZone);
  const scope = { project_id: projectId, metric_id: metric.id, customer_id: query.customer_id };
  const labelIndexes = labels?.map((label) => metric.group_by.indexOf(label)) ?? null;
  const figures = await readFigures(env, scope, { plan: planDays(buckets), labelIndexes, rowsMax: USAGE_ROWS_MAX });
  return {
    metric: metric.slug,
    unit: metric.unit,
    customer_id: query.customer_id ?? null,
    grain: query.grain,
    time_zone: timeZone,
    from: toInstantText(span.start),
    to: toInstantText(span.end),
    as_of: toInstantText(figures.as_of),
    approximate: false,
    live: figures.live,
    rejected: figures.rejected,
    data: toUsageRows(figures.sums, buckets, { metric, labels }),
  };
}

interface Question {
  readonly plan: DayPlan;
  readonly labelIndexes: readonly number[] | null;
  readonly rowsMax: number;
}

async function readFigures(
  env: QueryEnv,
  scope: { readonly project_id: string; readonly metric_id: string; readonly customer_id: string | undefined },
  question: Question,
): Promise<Omit<UsageFigures, "known">> {
  const { project_id, metric_id, customer_id } = scope;
  const metric_ids = [metric_id];
  if (customer_id !== undefined) return sumCustomerUsage(env, { project_id, customer_id, metric_ids }, question);
  const as_of = Date.now();
  const days = daysOfPlan(question.plan);
  if (days === undefined) return { sums: [], rejected: 0, as_of, live: false };
  const all = { project_id, metric_id };
  const [sums, rejected] = await Promise.all([
    sumProjectUsage(env.DB, { ...all, ...question, limit: question.rowsMax + 1 }),
    countRejected(env.DB, all, days),
  ]);
  return { sums, rejected, as_of, live: false };
}

function chooseLabels(text: string, metric: MetricDefinition): readonly string[] {
  const labels = text.split(",").map((label) => label.trim());
  const unknown = labels.find((label) => !metric.group_by.includes(label));
  if (unknown !== undefined || new Set(labels).size < labels.length) {
    const split =
      metric.group_by.length === 0
        ? "This metric is not split by any label."
        : `Must be of ${metric.group_by.join(", ")}, each once.`;
    throw invalid([{ pointer: "/group_by", code: "invalid_value", detail: split }]);
  }
  return labels;
}
