import { METRICS_MAX, type MeterAddress } from "@tidemark/contract";
import type { CustomerUsage } from "@tidemark/contract/customer-schema";
import type { MetricDefinition } from "@tidemark/contract/metric-schema";
import { changeOf } from "@tidemark/core/change";
import { daysOfPlan } from "@tidemark/core/day-plan";
import type { UsageFigure } from "@tidemark/core/usage-fold";
import { findCustomer } from "@tidemark/db/customers";
import { listMetrics } from "@tidemark/db/metrics";
import type { QueryEnv } from "../../env.ts";
import { FoldBudget } from "../../fold-budget.ts";
import { toInstantText } from "../../plumbing/instant.ts";
import { requireProject } from "../../project.ts";
import { clamp, toQuantity } from "../../quantity.ts";
import { planSeries, type Series, SeriesFold } from "../../series-fold.ts";
import { type WindowName, windowsOf } from "../../windows.ts";
import { toMetric } from "../metrics/metric.ts";
import { EVERYTHING, readCounters, toViews } from "../usage/counters.ts";
import { readCustomerDays } from "../usage/read-customer-days.ts";
import { toDisplay } from "./answer-customers.ts";
import { noSuchCustomer } from "./customer.ts";

/**
 * What a customer used of every metric in the last days, and how that compares with the days before.
 *
 * @param asked how many days; each metric's own display interval when `undefined`.
 * @throws Problem not_found for a customer that neither the database nor a meter knows.
 */
export async function answerCustomerUsage(
  env: QueryEnv,
  address: MeterAddress,
  asked: number | undefined,
): Promise<CustomerUsage> {
  const { project_id, customer_id } = address;
  const [project, rows, customer] = await Promise.all([
    requireProject(env.DB, project_id),
    listMetrics(env.DB, project_id, { after: undefined, limit: METRICS_MAX }),
    findCustomer(env.DB, project_id, customer_id),
  ]);
  const metrics = rows.map(toMetric);
  const now = Date.now();
  const intervalOf = (metric: MetricDefinition): number => asked ?? metric.display.interval_days;
  const intervals = new Map(
    [...new Set(metrics.length === 0 ? [asked ?? USUAL_DAYS] : metrics.map(intervalOf))].map((days) => {
      const windows = windowsOf(now, days, project.time_zone);
      return [days, { windows, plans: planSeries(windows) }] as const;
    }),
  );
  const counters = await readCounters(env.DB, project_id, metrics);
  const folds = metrics.flatMap((metric) => {
    const interval = intervals.get(intervalOf(metric));
    if (interval === undefined) return [];
    const { windows, plans } = interval;
    return [{ metric, windows, plans, fold: new SeriesFold(metric.aggregation, windows, plans) }];
  });
  const readings = folds.flatMap(({ metric: { id, aggregation }, plans, fold }) =>
    toViews(counters.get(id) ?? [], EVERYTHING).map((view) => ({ view, aggregation, plan: plans.days, fold })),
  );
  const longest = intervals.get(Math.max(...intervals.keys()));
  const span = (longest && daysOfPlan(longest.plans.days)) ?? { first: 0, last: -1 };
  const budget = new FoldBudget("/days", "Ask for fewer days.");
  const marks = await readCustomerDays(env, address, span, { readings, budget });
  // A customer's first figures can be in its meter before its row is in the database.
  if (customer === undefined && !marks.known) throw noSuchCustomer();
  return {
    customer_id,
    days: asked ?? null,
    from: longest?.windows.dates[0] ?? "",
    to: longest?.windows.dates.at(-1) ?? "",
    time_zone: longest?.windows.time_zone ?? project.time_zone,
    as_of: toInstantText(marks.as_of),
    live: marks.live,
    data: folds.map(({ metric, windows, fold }) => toMetricUsage(metric, fold.read(), windows.dates)),
  };
}

/** What is looked at where there is no metric: whether the customer is known has to be asked nevertheless. */
const USUAL_DAYS = 30;

function toMetricUsage(
  metric: MetricDefinition,
  series: Series,
  dates: readonly string[],
): CustomerUsage["data"][number] {
  const shown = series.days.slice(-dates.length);
  const over = (name: WindowName): UsageFigure | undefined => series.over(name);
  const write = (figure: UsageFigure | undefined): string | null => toQuantity(figure?.total, metric);
  const [current, previous] = [over("current"), over("previous")];
  return {
    metric: metric.slug,
    name: metric.name,
    unit: metric.unit,
    days: dates.length,
    from: dates[0] ?? "",
    ...toDisplay(metric),
    value: write(over("window")),
    previous: write(over("before")),
    change: changeOf(clamp(current?.total ?? 0n, metric), clamp(previous?.total ?? 0n, metric)),
    compared: { value: write(current), previous: write(previous) },
    approximate: [over("window"), over("before"), ...shown].some((figure) => figure?.approximate === true),
    series: dates.map((day, index) => ({ day, value: write(shown[index]) })),
  };
}
