import {
  FOLDED_DAYS_MAX,
  QUERY_DAYS_MAX,
  QUERY_HOURLY_DAYS_MAX,
  QUERY_SAMPLES_MAX,
  QUERY_SPLIT_DAYS_MAX,
} from "@tidemark/contract/query-limits";
import { type DayPlan, limitPlan } from "@tidemark/core/day-plan";
import { type CellView, countCustomers, isSplitView } from "@tidemark/db/ad-hoc-query";
import { invalid } from "../../plumbing/issues.ts";
import type { CellRequest } from "./plan-cells.ts";

/**
 * How many customers' days a question reads, by the customers of some of its days.
 *
 * @throws Problem invalid_request where that is more than one question may.
 */
export async function checkDays(
  db: D1Database,
  request: CellRequest,
  { views, plan }: { readonly views: readonly CellView[]; readonly plan: DayPlan },
): Promise<number> {
  const counters = views.flatMap((view) => view.counters);
  const planOf = new Map(counters.map((counter) => [counter.counter_id, limitPlan(plan, counter)]));
  const customersOf = await estimateCustomers(db, request, planOf);
  const { aggregation } = request.metric;
  const read = { plain: 0, split: 0, hourly: 0 };
  for (const view of views) {
    for (const { counter_id } of view.counters) {
      const customers = customersOf.get(counter_id) ?? 0;
      const { whole, cut } = planOf.get(counter_id) ?? { whole: [], cut: [] };
      read.hourly += customers * cut.length;
      // When a value was said is known of hours alone.
      const kind = aggregation === "latest" ? "hourly" : isSplitView(view) ? "split" : "plain";
      read[kind] += customers * whole.length;
    }
  }
  const days = Math.ceil(read.plain + read.split + read.hourly);
  if (aggregation === "unique") refuse(days, FOLDED_DAYS_MAX, "and unite the ids of each");
  else {
    refuse(Math.ceil(read.hourly), QUERY_HOURLY_DAYS_MAX, "hour by hour, which days of UTC do not need");
    refuse(Math.ceil(read.split), QUERY_SPLIT_DAYS_MAX, "and take each apart into labels or segments");
    refuse(days, QUERY_DAYS_MAX, "one by one");
  }
  return days;
}

/** Customers a day, by counter: all days are counted while they are few, else some that are spread over them. */
async function estimateCustomers(
  db: D1Database,
  { project_id, customer_ids }: CellRequest,
  planOf: ReadonlyMap<string, DayPlan>,
): Promise<ReadonlyMap<string, number>> {
  if (customer_ids !== null) return new Map(Array.from(planOf.keys(), (id) => [id, customer_ids.length]));
  const samples = [...planOf].flatMap(([id, plan]) => sampleDays(plan).map((day) => [id, day] as const));
  const counted = await countCustomers(db, project_id, samples, Math.ceil(QUERY_DAYS_MAX / QUERY_SAMPLES_MAX));
  const byCounter = Map.groupBy(counted, ({ counter_id }) => counter_id);
  return new Map(
    Array.from(byCounter, ([counter_id, rows]) => {
      const sum = rows.reduce((total, { customers }) => total + customers, 0);
      return [counter_id, sum / rows.length];
    }),
  );
}

function sampleDays({ whole, cut }: DayPlan): readonly number[] {
  const days = [...new Set([...whole, ...cut].map(([day]) => day))].toSorted((a, b) => a - b);
  const step = Math.max(days.length / QUERY_SAMPLES_MAX, 1);
  // The middle of each part: the first day may be long ago, and the last one has hardly begun.
  return Array.from({ length: Math.min(days.length, QUERY_SAMPLES_MAX) }, (_, part) => {
    return days[Math.floor((part + 0.5) * step)] ?? 0;
  });
}

function refuse(days: number, max: number, how: string): void {
  if (days <= max) return;
  const detail = `Would read about ${days} days of customers, ${how}; one question may read ${max} so. Ask for fewer days, or name customers in \`filter.customers\`.`;
  throw invalid([{ pointer: "/range", code: "too_many_rows", detail }]);
}
