import { daysOfPlan, limitPlan } from "@tidemark/core/day-plan";
import { UsageFold } from "@tidemark/core/usage-fold";
import { scanDays } from "@tidemark/db/usage";
import { FoldBudget } from "../../fold-budget.ts";
import type { RankingQuestion } from "./rank-users.ts";

/** One customer's days, united. */
export interface FoldedCustomer {
  readonly fold: UsageFold;
  /** The latest counted event of these days. */
  readonly last_at: number;
}

/**
 * The distinct counts of every customer with counted events in a plan. Which ids two days share only the ids tell,
 * so all of them are read.
 *
 * @throws Problem invalid_request where there are too many.
 */
export async function foldEverybody(
  db: D1Database,
  { project, metric, views, plan }: RankingQuestion,
): Promise<ReadonlyMap<string, FoldedCustomer>> {
  const budget = new FoldBudget("/days", "Ask for fewer days, or of a metric that does not count distinct values.");
  const folded = new Map<string, FoldedCustomer>();
  for (const view of views) {
    const days = daysOfPlan(limitPlan(plan, view));
    if (days === undefined) continue;
    const scan = { project_id: project.id, counter_id: view.counter_id, ...days, groups: false };
    for await (const page of scanDays(db, scan)) {
      budget.take(page);
      for (const day of page.days) {
        const known = folded.get(day.customer_id);
        const fold = known?.fold ?? new UsageFold(metric.aggregation, plan);
        fold.addDay(day, view);
        folded.set(day.customer_id, { fold, last_at: Math.max(known?.last_at ?? 0, day.last_at) });
      }
    }
  }
  return folded;
}
