import { type DayPlan, limitPlan } from "@tidemark/core/day-plan";
import { type CellView, isSplitView } from "@tidemark/db/ad-hoc-query";
import { type CounterDay, countReads, type DayRead } from "./count-reads.ts";
import type { CellRequest } from "./plan-cells.ts";

/**
 * How many customers' days a question reads.
 *
 * @throws Problem invalid_request where that is more than one question may.
 */
export async function checkDays(
  db: D1Database,
  { project_id, customer_ids, metric }: CellRequest,
  { views, plan }: { readonly views: readonly CellView[]; readonly plan: DayPlan },
): Promise<number> {
  const days: Record<DayRead, CounterDay[]> = { whole: [], split: [], hourly: [], ids: [] };
  for (const view of views) {
    for (const counter of view.counters) {
      const { counter_id } = counter;
      const { whole, cut } = limitPlan(plan, counter);
      if (metric.aggregation === "unique") {
        // The ids of a day are read once, in however many spans it is.
        for (const day of new Set([...whole, ...cut].map(([own]) => own))) days.ids.push([counter_id, day]);
        continue;
      }
      // When a value was said is known of hours alone.
      const read = metric.aggregation === "latest" ? "hourly" : isSplitView(view) ? "split" : "whole";
      for (const [day] of whole) days[read].push([counter_id, day]);
      for (const [day] of cut) days.hourly.push([counter_id, day]);
    }
  }
  return countReads(db, { project_id, customer_ids, days }, REMEDY);
}

const REMEDY = { pointer: "/range", remedy: "Ask for fewer days, or name customers in `filter.customers`." };
