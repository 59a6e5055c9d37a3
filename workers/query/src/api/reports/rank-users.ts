import { type DayPlan, limitPlan } from "@tidemark/core/day-plan";
import type { CounterView } from "@tidemark/core/usage-fold";
import { type RankedCustomer, rankCustomers } from "@tidemark/db/top-customers";
import { rankDistinct } from "./rank-distinct.ts";
import type { ReportSubject } from "./report-subject.ts";

/** Whose usage of what, over which days as one bucket. */
export interface RankingQuestion extends Pick<ReportSubject, "project" | "metric"> {
  readonly views: readonly CounterView[];
  readonly plan: DayPlan;
}

/**
 * The customers who used most, by total, the largest first; equals by their id.
 *
 * @throws Problem invalid_request where a distinct count would have to unite too many days.
 */
export async function rankUsers(
  db: D1Database,
  { project, metric, views, plan }: RankingQuestion,
  limit: number,
): Promise<readonly RankedCustomer[]> {
  const { aggregation } = metric;
  const counters = views.map((view) => ({ counter_id: view.counter_id, plan: limitPlan(plan, view) }));
  const scope = { project_id: project.id, counters, aggregation };
  return aggregation === "unique"
    ? rankDistinct(db, scope, { views, plan, limit })
    : rankCustomers(db, scope, { limit, clamp: !metric.allow_negative });
}
