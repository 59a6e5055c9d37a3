import { METRICS_MAX, type MeterAddress } from "@tidemark/contract";
import type { CustomerUsage } from "@tidemark/contract/customer-schema";
import type { MetricDefinition } from "@tidemark/contract/metric-schema";
import { changeOf } from "@tidemark/core/change";
import { planDays, type UsageSum } from "@tidemark/core/day-plan";
import { findCustomer } from "@tidemark/db/customers";
import { listMetrics } from "@tidemark/db/metrics";
import type { QueryEnv } from "../../env.ts";
import { toInstantText } from "../../plumbing/instant.ts";
import { requireProject } from "../../project.ts";
import { clamp, toQuantity } from "../../quantity.ts";
import { add, compareWindows, type Windows, windowsOf } from "../../windows.ts";
import { toMetric } from "../metrics/metric.ts";
import { sumCustomerUsage } from "../usage/sum-customer-usage.ts";
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
  const question = { plan: planDays(windows.days), labelIndexes: null, rowsMax: metrics.length * windows.days.length };
  const scope = { project_id, customer_id, metric_ids: metrics.map(({ id }) => id) };
  const figures = await sumCustomerUsage(env, scope, question);
  // A customer's first figures can be in its meter before its row is in the database.
  if (customer === undefined && !figures.known) throw noSuchCustomer();
  return {
    customer_id,
    days,
    from: windows.dates[0] ?? "",
    to: windows.dates.at(-1) ?? "",
    time_zone: windows.time_zone,
    as_of: toInstantText(figures.as_of),
    live: figures.live,
    data: metrics.map((metric) => toMetricUsage(metric, windows, figures.sums)),
  };
}

function toMetricUsage(
  metric: MetricDefinition,
  windows: Windows,
  sums: readonly UsageSum[],
): CustomerUsage["data"][number] {
  const { days, dates } = windows;
  const totals = days.map(() => 0n);
  for (const { metric_id, bucket, total } of sums) if (metric_id === metric.id) totals[bucket] = total;
  const count = dates.length;
  const today = days.length - 1;
  const compared = compareWindows(totals, count);
  return {
    metric: metric.slug,
    name: metric.name,
    unit: metric.unit,
    value: toQuantity(add(totals, today - count + 1, today + 1), metric),
    previous: toQuantity(add(totals, today - 2 * count + 1, today - count + 1), metric),
    change: changeOf(clamp(compared.value, metric), clamp(compared.previous, metric)),
    compared: { value: toQuantity(compared.value, metric), previous: toQuantity(compared.previous, metric) },
    series: dates.map((day, index) => ({ day, value: toQuantity(totals[days.length - count + index] ?? 0n, metric) })),
  };
}
