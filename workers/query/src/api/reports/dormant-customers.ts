import type { DormantAnswer, QuestionOf } from "@tidemark/contract/report-schema";
import { limitPlan, planDays } from "@tidemark/core/day-plan";
import { DORMANT_DAYS, DORMANT_RULE, dormantSince } from "@tidemark/core/report-rules";
import { DAY_MS } from "@tidemark/core/timestamp";
import { UsageFold } from "@tidemark/core/usage-fold";
import { readCustomerNames } from "@tidemark/db/customer-names";
import { rankCustomers, readCustomerFigures } from "@tidemark/db/top-customers";
import { FoldBudget } from "../../fold-budget.ts";
import { toInstantText } from "../../plumbing/instant.ts";
import { toQuantity } from "../../quantity.ts";
import { foldCustomers } from "./fold-customers.ts";
import { foldEverybody } from "./fold-everybody.ts";
import type { RankingQuestion } from "./rank-users.ts";
import { aboutReport, readViews, type ReportSubject } from "./report-subject.ts";
import { reportWindow } from "./report-window.ts";

/**
 * The customers who used something in the last days and have been silent since. It looks back for as many days as
 * were asked for and, after them, those of the silence and today: whoever is dormant now was not while they used it.
 *
 * @throws Problem invalid_request where a distinct count would have to unite too many days.
 */
export async function dormantCustomers(
  db: D1Database,
  subject: ReportSubject,
  { days: count, limit }: Pick<QuestionOf<"dormant">["params"], "days" | "limit">,
): Promise<DormantAnswer> {
  const { metric, now } = subject;
  const { days, span, from, to, time_zone } = reportWindow(subject, count + DORMANT_DAYS + 1);
  const question = { ...subject, views: await readViews(db, subject), plan: planDays([span]) };
  const dormant = await (metric.aggregation === "unique" ? findDistinct : find)(db, question, { now, limit });
  const ids = dormant.customers.map(({ customer_id }) => customer_id);
  const activeDays = await countActiveDays(db, { ...question, plan: planDays(days) }, ids);
  return {
    report: "dormant",
    ...aboutReport(subject, { days: count, from, to, time_zone }, dormant.approximate),
    rule: DORMANT_RULE,
    count: dormant.count,
    data: dormant.customers.map(({ customer_id, name, total, last_at }, index) => ({
      rank: index + 1,
      customer_id,
      name,
      total: toQuantity(total, metric),
      active_days: activeDays.get(customer_id) ?? 0,
      last_seen_at: toInstantText(last_at),
      silent_days: Math.floor((now - last_at) / DAY_MS),
    })),
  };
}

interface DormantCustomer {
  readonly customer_id: string;
  readonly name: string | null;
  readonly total: bigint;
  readonly last_at: number;
}

interface Dormant {
  readonly count: number;
  readonly approximate: boolean;
  readonly customers: readonly DormantCustomer[];
}

interface Options {
  readonly now: number;
  readonly limit: number;
}

async function find(db: D1Database, question: RankingQuestion, { now, limit }: Options): Promise<Dormant> {
  const { project, metric, views, plan } = question;
  const counters = views.map((view) => ({ counter_id: view.counter_id, plan: limitPlan(plan, view) }));
  const scope = { project_id: project.id, counters, aggregation: metric.aggregation };
  const options = { limit, clamp: !metric.allow_negative, silentSince: dormantSince(now) };
  const customers = await rankCustomers(db, scope, options);
  return { count: customers[0]?.found ?? 0, approximate: false, customers };
}

async function findDistinct(db: D1Database, question: RankingQuestion, { now, limit }: Options): Promise<Dormant> {
  const found: Omit<DormantCustomer, "name">[] = [];
  let approximate = false;
  for (const [customer_id, { fold, last_at }] of await foldEverybody(db, question)) {
    const [figure] = fold.figures();
    if (figure === undefined || last_at > dormantSince(now)) continue;
    approximate ||= figure.approximate;
    found.push({ customer_id, total: figure.total, last_at });
  }
  const shown = found.toSorted(byTotal).slice(0, limit);
  const ids = shown.map(({ customer_id }) => customer_id);
  const names = await readCustomerNames(db, question.project.id, ids);
  const customers = shown.map((one) => ({ ...one, name: names.get(one.customer_id) ?? null }));
  return { count: found.length, approximate, customers };
}

/** The largest first; equals by their id. */
function byTotal(a: Omit<DormantCustomer, "name">, b: Omit<DormantCustomer, "name">): number {
  return Number(b.total > a.total) - Number(b.total < a.total) || (a.customer_id < b.customer_id ? -1 : 1);
}

/** On how many days of a plan, each a bucket, something counted. */
async function countActiveDays(
  db: D1Database,
  { project, metric, views, plan }: RankingQuestion,
  customerIds: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const { aggregation } = metric;
  const active = new Map<string, number>();
  if (aggregation === "unique") {
    const budget = new FoldBudget("/limit", "Ask for fewer customers, or for fewer days.");
    const folding = { project_id: project.id, views, aggregation, plan, budget };
    const folds = foldCustomers(db, folding, customerIds, () => new UsageFold(aggregation, plan));
    for await (const [id, fold] of folds) active.set(id, fold.figures().length);
    return active;
  }
  const counters = views.map((view) => ({ counter_id: view.counter_id, plan: limitPlan(plan, view) }));
  const figures = await readCustomerFigures(db, { project_id: project.id, counters, aggregation }, customerIds);
  for (const { customer_id } of figures) active.set(customer_id, (active.get(customer_id) ?? 0) + 1);
  return active;
}
