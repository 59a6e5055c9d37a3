import type { Aggregation } from "@tidemark/core";
import type { DayPlan } from "@tidemark/core/day-plan";
import type { CounterView, FoldedDay } from "@tidemark/core/usage-fold";
import { readDays } from "@tidemark/db/usage";
import type { FoldBudget } from "../../fold-budget.ts";
import { lookUp } from "../usage/read-customer-days.ts";

/** What to read of each customer. */
export interface CustomerFolding {
  readonly project_id: string;
  readonly views: readonly CounterView[];
  readonly aggregation: Aggregation;
  readonly plan: DayPlan;
  readonly budget: FoldBudget;
}

/** Folds the stored days of some customers, page by page; who has none is left out. */
export async function* foldCustomers<Fold extends { addDay(day: FoldedDay, view: CounterView): void }>(
  db: D1Database,
  { project_id, views, aggregation, plan, budget }: CustomerFolding,
  customerIds: readonly string[],
  newFold: () => Fold,
): AsyncGenerator<readonly [customerId: string, fold: Fold]> {
  const viewOf = new Map(views.map((view) => [view.counter_id, view]));
  const units = customerIds.map((id) => views.flatMap((view) => lookUp({ view, aggregation, plan }, id)));
  for await (const page of readDays(db, project_id, units, aggregation === "unique")) {
    budget.take(page);
    const folds = new Map<string, Fold>();
    for (const day of page.days) {
      const view = viewOf.get(day.metric_id);
      if (view === undefined) continue;
      const fold = folds.get(day.customer_id) ?? newFold();
      folds.set(day.customer_id, fold);
      fold.addDay(day, view);
    }
    yield* folds;
  }
}
