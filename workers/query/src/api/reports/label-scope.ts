import { type DayPlan, limitPlan } from "@tidemark/core/day-plan";
import type { CounterView } from "@tidemark/core/usage-fold";
import type { LabelScope } from "@tidemark/db/label-totals";
import type { ReportSubject } from "./report-subject.ts";

/** Some customers' usage by the one label of the views, whose versions can have it at different places. */
export function labelScope(
  { project }: Pick<ReportSubject, "project">,
  usage: { readonly views: readonly CounterView[]; readonly plan: DayPlan; readonly aggregation: "count" | "sum" },
  customerIds: readonly string[],
): LabelScope {
  const byPlace = Map.groupBy(usage.views, ({ labelIndexes }) => labelIndexes?.[0] ?? -1);
  const counters = Array.from(byPlace, ([place, views]) => {
    const plans = views.map((view) => ({ counter_id: view.counter_id, plan: limitPlan(usage.plan, view) }));
    return [place, plans] as const;
  });
  return {
    project_id: project.id,
    customer_ids: customerIds,
    aggregation: usage.aggregation,
    counters: new Map(counters),
  };
}
