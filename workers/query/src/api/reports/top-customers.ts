import type { MetricDefinition } from "@tidemark/contract/metric-schema";
import type { TopCustomersAnswer, TopCustomersParams } from "@tidemark/contract/report-schema";
import { planDays } from "@tidemark/core/day-plan";
import { classifyTrend } from "@tidemark/core/trend";
import type { ProjectRow } from "@tidemark/db/projects";
import { type RankedCustomer, rankCustomers, sumByCustomer } from "@tidemark/db/top-customers";
import { toInstantText } from "../../plumbing/instant.ts";
import { clamp, toQuantity } from "../../quantity.ts";
import { add, compareWindows, type Windows, windowsOf } from "../../windows.ts";

/** The trend rules compare the last 7 whole days with the 7 before them: with today, 15. */
const TREND_DAYS = 15;

/**
 * The customers who used most of a metric in the last days, each with its days and its trend. Two
 * queries: the ranking, and the days of those who are in it.
 */
export async function topCustomers(
  db: D1Database,
  subject: { readonly project: ProjectRow; readonly metric: MetricDefinition },
  params: Pick<TopCustomersParams, "days" | "limit">,
): Promise<TopCustomersAnswer> {
  const { project, metric } = subject;
  const now = Date.now();
  const windows = windowsOf(now, params.days, project.time_zone, TREND_DAYS);
  const scope = { project_id: project.id, metric_id: metric.id };
  const ranked = await rankCustomers(db, scope, planDays(wholeWindow(windows)), {
    limit: params.limit,
    clamp: !metric.allow_negative,
  });
  const customer_ids = ranked.map(({ customer_id }) => customer_id);
  const sums = await sumByCustomer(db, { ...scope, customer_ids }, planDays(windows.days));
  const series = new Map(customer_ids.map((id) => [id, windows.days.map(() => undefined as bigint | undefined)]));
  for (const { customer_id, bucket, total } of sums) series.get(customer_id)?.splice(bucket, 1, total);
  return {
    report: "top-customers",
    metric: metric.slug,
    name: metric.name,
    unit: metric.unit,
    days: params.days,
    from: windows.dates[0] ?? "",
    to: windows.dates.at(-1) ?? "",
    time_zone: windows.time_zone,
    incomplete_day: windows.dates.at(-1) ?? "",
    as_of: toInstantText(now),
    approximate: false,
    data: ranked.map((customer, index) =>
      toRow({ rank: index + 1, customer, days: series.get(customer.customer_id) ?? [] }, { metric, windows, now }),
    ),
  };
}

type Row = TopCustomersAnswer["data"][number];

interface Ranking {
  readonly rank: number;
  readonly customer: RankedCustomer;
  /** Of every day that was read; `undefined` where nothing counted. */
  readonly days: readonly (bigint | undefined)[];
}

function toRow(
  { rank, customer, days }: Ranking,
  { metric, windows, now }: { readonly metric: MetricDefinition; readonly windows: Windows; readonly now: number },
): Row {
  const windowDays = windows.dates.length;
  const totals = days.map((total) => total ?? 0n);
  const today = totals.length - 1;
  const active_days = days.slice(-windowDays).filter((total) => total !== undefined).length;
  const compared = compareWindows(totals, windowDays);
  const verdict = classifyTrend({
    now,
    firstSeenAt: customer.first_seen_at,
    lastSeenAt: customer.last_at,
    activeDays: active_days,
    windowDays,
    current: clamp(compared.value, metric),
    previous: clamp(compared.previous, metric),
    last7: clamp(add(totals, today - 7, today), metric),
    previous7: clamp(add(totals, today - 14, today - 7), metric),
  });
  return {
    rank,
    customer_id: customer.customer_id,
    name: customer.name,
    total: toQuantity(customer.total, metric),
    active_days,
    last_seen_at: toInstantText(customer.last_at),
    trend: verdict.trend,
    trend_detail: { change: verdict.change, rule: verdict.rule },
    series: windows.dates.map((day, index) => ({
      day,
      value: toQuantity(totals[totals.length - windowDays + index] ?? 0n, metric),
    })),
  };
}

/** The window as one bucket. */
function wholeWindow({ days, dates }: Windows): readonly { readonly start: number; readonly end: number }[] {
  const start = days[days.length - dates.length]?.start;
  const end = days.at(-1)?.end;
  return start === undefined || end === undefined ? [] : [{ start, end }];
}
