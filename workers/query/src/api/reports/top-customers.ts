import type { MetricDefinition } from "@tidemark/contract/metric-schema";
import type { TopCustomersAnswer, TopCustomersParams } from "@tidemark/contract/report-schema";
import { limitPlan, planDays } from "@tidemark/core/day-plan";
import { classifyTrend } from "@tidemark/core/trend";
import type { CounterView } from "@tidemark/core/usage-fold";
import { type RankedCustomer, readCustomerFigures } from "@tidemark/db/top-customers";
import { FoldBudget } from "../../fold-budget.ts";
import { toInstantText } from "../../plumbing/instant.ts";
import { clamp, toQuantity } from "../../quantity.ts";
import { planSeries, type Series, SeriesFold } from "../../series-fold.ts";
import { type WindowName, type Windows, windowsOf } from "../../windows.ts";
import { foldCustomers } from "./fold-customers.ts";
import { rankUsers } from "./rank-users.ts";
import { aboutReport, readViews, type ReportSubject } from "./report-subject.ts";

/** The trend rules compare the last 7 whole days with the 7 before them: with today, 15. */
const TREND_DAYS = 15;

/**
 * The customers who used most of a metric in the last days, each with its days and its trend: first the
 * ranking, then the days of those who are in it.
 *
 * @throws Problem invalid_request where a distinct count would have to unite too many days.
 */
export async function topCustomers(
  db: D1Database,
  subject: ReportSubject,
  params: Pick<TopCustomersParams, "days" | "limit">,
): Promise<TopCustomersAnswer> {
  const { project, metric, now } = subject;
  const windows = windowsOf(now, params.days, project.time_zone, TREND_DAYS);
  const views = await readViews(db, subject);
  const question = { project_id: project.id, metric, windows, views };
  const plan = planSeries(windows).spans.get("window") ?? planDays([]);
  const ranked = await rankUsers(db, { project, metric, views, plan }, params.limit);
  const series = await readSeries(
    db,
    question,
    ranked.map(({ customer_id }) => customer_id),
  );
  const rows = ranked.map((customer, index) =>
    toRow(index + 1, customer, { series: series.get(customer.customer_id) ?? NO_SERIES, metric, windows, now }),
  );
  const [from = "", to = ""] = [windows.dates[0], windows.dates.at(-1)];
  const shown = { days: params.days, from, to, time_zone: windows.time_zone };
  return {
    report: "top-customers",
    ...aboutReport(subject, shown, [...series.values()].some(isApproximate)),
    incomplete_day: to,
    data: rows,
  };
}

interface Question {
  readonly project_id: string;
  readonly metric: MetricDefinition;
  readonly windows: Windows;
  readonly views: readonly CounterView[];
}

/** Ids are united here, customer by customer; everything else the database composes. */
async function readSeries(
  db: D1Database,
  { project_id, metric, windows, views }: Question,
  customerIds: readonly string[],
): Promise<ReadonlyMap<string, Series>> {
  const { aggregation } = metric;
  const plans = planSeries(windows);
  const series = new Map<string, Series>();
  const newFold = (): SeriesFold => new SeriesFold(aggregation, windows, plans);
  if (aggregation === "unique") {
    const budget = new FoldBudget("/limit", "Ask for fewer customers, or for fewer days.");
    const folding = { project_id, views, aggregation, plan: plans.days, budget };
    for await (const [id, fold] of foldCustomers(db, folding, customerIds, newFold)) series.set(id, fold.read());
    return series;
  }
  const counters = views.map((view) => ({ counter_id: view.counter_id, plan: limitPlan(plans.days, view) }));
  const figures = await readCustomerFigures(db, { project_id, counters, aggregation }, customerIds);
  for (const [id, own] of Map.groupBy(figures, ({ customer_id }) => customer_id)) {
    const fold = newFold();
    for (const figure of own) fold.addFigure(figure);
    series.set(id, fold.read());
  }
  return series;
}

const NO_SERIES: Series = { days: [], over: () => undefined };

function isApproximate(series: Series): boolean {
  return [series.over("window"), series.over("before"), ...series.days].some((figure) => figure?.approximate === true);
}

type Row = TopCustomersAnswer["data"][number];

function toRow(
  place: number,
  customer: RankedCustomer,
  context: {
    readonly series: Series;
    readonly metric: MetricDefinition;
    readonly windows: Windows;
    readonly now: number;
  },
): Row {
  const { series, metric, windows, now } = context;
  const windowDays = windows.dates.length;
  const shown = series.days.slice(-windowDays);
  const active_days = shown.filter((figure) => figure !== undefined).length;
  const over = (name: WindowName): bigint => clamp(series.over(name)?.total ?? 0n, metric);
  const verdict = classifyTrend({
    now,
    firstSeenAt: customer.first_seen_at,
    lastSeenAt: customer.last_at,
    activeDays: active_days,
    windowDays,
    current: over("current"),
    previous: over("previous"),
    last7: over("last7"),
    previous7: over("previous7"),
  });
  return {
    rank: place,
    customer_id: customer.customer_id,
    name: customer.name,
    total: toQuantity(customer.total, metric),
    active_days,
    last_seen_at: toInstantText(customer.last_at),
    trend: verdict.trend,
    trend_detail: { change: verdict.change, rule: verdict.rule },
    series: windows.dates.map((day, index) => ({ day, value: toQuantity(shown[index]?.total ?? 0n, metric) })),
  };
}
