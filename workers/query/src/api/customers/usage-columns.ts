import type { ColumnUsage } from "@tidemark/contract/customer-schema";
import type { MetricDefinition } from "@tidemark/contract/metric-schema";
import { changeOf } from "@tidemark/core/change";
import { limitPlan } from "@tidemark/core/day-plan";
import type { CounterView } from "@tidemark/core/usage-fold";
import { readCustomerFigures } from "@tidemark/db/top-customers";
import type { CounterPlan } from "@tidemark/db/usage-parts";
import { FoldBudget } from "../../fold-budget.ts";
import { clamp, toQuantity } from "../../quantity.ts";
import { planSeries, type Series, SeriesFold, type SeriesPlans } from "../../series-fold.ts";
import { type WindowName, type Windows, windowsOf } from "../../windows.ts";
import { foldCustomers } from "../reports/fold-customers.ts";
import { EVERYTHING, readCounters, toViews } from "../usage/counters.ts";

/** A metric as a column of a list of customers, over its own interval. */
export interface UsageColumn {
  readonly metric: MetricDefinition;
  readonly windows: Windows;
  readonly plans: SeriesPlans;
  readonly views: readonly CounterView[];
}

/** Prepares metrics as columns. */
export async function planColumns(
  db: D1Database,
  project: { readonly id: string; readonly time_zone: string },
  metrics: readonly MetricDefinition[],
  now: number,
): Promise<readonly UsageColumn[]> {
  const counters = await readCounters(db, project.id, metrics);
  return metrics.map((metric) => {
    const windows = coarsen(windowsOf(now, metric.display.interval_days, project.time_zone));
    const views = toViews(counters.get(metric.id) ?? [], EVERYTHING);
    return { metric, windows, plans: planSeries(windows), views };
  });
}

/**
 * Only what a column compares: both windows, each without its last day and that day alone. What a window
 * comes to is then two figures, not one for each day.
 */
function coarsen({ time_zone, days, dates }: Windows): Windows {
  const parts = [days.slice(0, dates.length), days.slice(dates.length)].flatMap((window) => [
    window.slice(0, -1),
    window.slice(-1),
  ]);
  const spans = parts.map((part) => ({ start: part[0]?.start ?? 0, end: part.at(-1)?.end ?? 0 }));
  return { time_zone, days: spans, dates: [dates[0] ?? "", dates.at(-1) ?? ""] };
}

/** The counters of a column's window, or of both windows. */
export function countersOf({ views, plans }: UsageColumn, of: "window" | "both"): readonly CounterPlan[] {
  const plan = of === "both" ? plans.days : (plans.spans.get("window") ?? { whole: [], cut: [] });
  return views.map((view) => ({ counter_id: view.counter_id, plan: limitPlan(plan, view) }));
}

/** Customers whose figures are read at once. */
const CHUNK = 500;

/**
 * A column's figures for some customers; who has none is left out.
 *
 * @throws Problem invalid_request where a distinct count would have to unite too many days.
 */
export async function readColumn(
  db: D1Database,
  projectId: string,
  column: UsageColumn,
  customerIds: readonly string[],
): Promise<ReadonlyMap<string, ColumnUsage>> {
  const usage = new Map<string, ColumnUsage>();
  for (let at = 0; at < customerIds.length; at += CHUNK)
    for (const [id, series] of await readSeries(db, projectId, column, customerIds.slice(at, at + CHUNK)))
      usage.set(id, toColumnUsage(series, column.metric));
  return usage;
}

async function readSeries(
  db: D1Database,
  project_id: string,
  column: UsageColumn,
  customerIds: readonly string[],
): Promise<ReadonlyMap<string, Series>> {
  const { metric, windows, plans, views } = column;
  const { aggregation } = metric;
  const newFold = (): SeriesFold => new SeriesFold(aggregation, windows, plans);
  const series = new Map<string, Series>();
  if (aggregation === "unique") {
    const budget = new FoldBudget("/metrics", `Ask for fewer rows, or without ${metric.slug}.`);
    const folding = { project_id, views, aggregation, plan: plans.days, budget };
    for await (const [id, fold] of foldCustomers(db, folding, customerIds, newFold)) series.set(id, fold.read());
    return series;
  }
  const scope = { project_id, counters: countersOf(column, "both"), aggregation };
  const figures = await readCustomerFigures(db, scope, customerIds);
  for (const [id, own] of Map.groupBy(figures, ({ customer_id }) => customer_id)) {
    const fold = newFold();
    for (const figure of own) fold.addFigure(figure);
    series.set(id, fold.read());
  }
  return series;
}

const NOTHING: Series = { days: [], over: () => undefined };

/** The figures of a customer who has none. */
export function emptyUsage(metric: MetricDefinition): ColumnUsage {
  return toColumnUsage(NOTHING, metric);
}

function toColumnUsage(series: Series, metric: MetricDefinition): ColumnUsage {
  const total = (name: WindowName): bigint => clamp(series.over(name)?.total ?? 0n, metric);
  return {
    value: toQuantity(series.over("window")?.total, metric),
    previous: toQuantity(series.over("before")?.total, metric),
    change: changeOf(total("current"), total("previous")),
    approximate: series.over("window")?.approximate === true || series.over("before")?.approximate === true,
  };
}
