import { RANKING_CANDIDATES_MAX } from "@tidemark/contract/query-limits";
import type { DayPlan } from "@tidemark/core/day-plan";
import { type CounterView, UsageFold } from "@tidemark/core/usage-fold";
import { type RankedCustomer, type RankingScope, rankCustomers } from "@tidemark/db/top-customers";
import { FoldBudget } from "../../fold-budget.ts";
import { foldCustomers } from "./fold-customers.ts";

/** So many customers' ids are read at a time. */
const CHUNK = 50;

/**
 * The customers with the most different ids. A customer cannot have more than its days have together, so
 * they are united in the order of that sum, and only until nobody who is left can come in front.
 *
 * @param plan the window as one bucket.
 * @throws Problem invalid_request where too many would have to be looked at.
 */
export async function rankDistinct(
  db: D1Database,
  scope: RankingScope,
  { views, plan, limit }: { readonly views: readonly CounterView[]; readonly plan: DayPlan; readonly limit: number },
): Promise<readonly RankedCustomer[]> {
  const budget = new FoldBudget("/days", "Ask for fewer days.");
  const options = { limit: RANKING_CANDIDATES_MAX + 1, clamp: false };
  const candidates = await rankCustomers(db, scope, options);
  let best: readonly RankedCustomer[] = [];
  for (let at = 0; at < candidates.length; at += CHUNK) {
    const chunk = candidates.slice(at, at + CHUNK);
    const [next] = chunk;
    const last = best[limit - 1];
    if (next === undefined || (last !== undefined && isBefore(last, next))) return best;
    if (at + CHUNK > RANKING_CANDIDATES_MAX) throw budget.exceeded();
    const byId = new Map(chunk.map((customer) => [customer.customer_id, customer]));
    const counted: RankedCustomer[] = [];
    const read = { project_id: scope.project_id, views, aggregation: scope.aggregation, plan, budget };
    const folds = foldCustomers(db, read, [...byId.keys()], () => new UsageFold(scope.aggregation, plan));
    for await (const [customerId, fold] of folds) {
      const customer = byId.get(customerId);
      const [figure] = fold.figures();
      if (customer !== undefined && figure !== undefined) counted.push({ ...customer, total: figure.total });
    }
    best = [...best, ...counted].toSorted((a, b) => (isBefore(a, b) ? -1 : 1)).slice(0, limit);
  }
  return best;
}

/** By total, the largest first; equals by their id. */
function isBefore(a: RankedCustomer, b: RankedCustomer): boolean {
  return a.total === b.total ? a.customer_id < b.customer_id : a.total > b.total;
}
