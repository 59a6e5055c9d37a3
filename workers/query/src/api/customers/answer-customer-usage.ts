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
import { noSuchCustomer } from "./customer.ts";

/**
 * What a customer used of every metric in the last days, and how that compares with the days before.
 *
 * @throws Problem not_found for a customer that neither the database nor a meter knows.
 */
export async function answerCustomerUsage(env: QueryEnv, address: MeterAddress, days: number): Promise<CustomerUsage> {
  const { project_id, customer_id } = address;
  const [project, rows, customer] = await Promise.all([
    requireProject(env.DB, project_id),
    listMetrics(env.DB, project_id, { after: undefined, limit: METRICS_MAX }),
    findCustomer(env.DB, project_id, customer_id),
  ]);
  const metrics = rows.map(toMetric);
  const windows = windowsOf(Date.now(), days, project.time_zone);
  const plans = planSeries(windows);
  const counters = await readCounters(env.DB, project_id, metrics);
  const folds = metrics.map((metric) => ({ metric, fold: new SeriesFold(metric.aggregation, windows, plans) }));
  const readings = folds.flatMap(({ metric: { id, aggregation }, fold }) =>
    toViews(counters.get(id) ?? [], EVERYTHING).map((view) => ({ view, aggregation, plan: plans.days, fold })),
  );
  const span = daysOfPlan(plans.days) ?? { first: 0, last: -1 };
  const budget = new FoldBudget("/days", "Ask for fewer days.");
  const marks = await readCustomerDays(env, address, span, { readings, budget });
  // A customer's first figures can be in its meter before its row is in the database.
  if (customer === undefined && !marks.known) throw noSuchCustomer();
  return {
    customer_id,
    days,
    from: windows.dates[0] ?? "",
    to: windows.dates.at(-1) ?? "",
    time_zone: windows.time_zone,
    as_of: toInstantText(marks.as_of),
    live: marks.live,
    data: folds.map(({ metric, fold }) => toMetricUsage(metric, fold.read(), windows.dates)),
  };
}

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
    value: write(over("window")),
    previous: write(over("before")),
    change: changeOf(clamp(current?.total ?? 0n, metric), clamp(previous?.total ?? 0n, metric)),
    compared: { value: write(current), previous: write(previous) },
    approximate: [over("window"), over("before"), ...shown].some((figure) => figure?.approximate === true),
    series: dates.map((day, index) => ({ day, value: write(shown[index]) })),
  };
}
