import type { ComparedAnswer, QuestionOf } from "@tidemark/contract/report-schema";
import type { Span } from "@tidemark/core/buckets";
import { changeOf } from "@tidemark/core/change";
import { limitPlan, planDays } from "@tidemark/core/day-plan";
import { type ChangeRule, DROPPING, GROWING, hasChanged } from "@tidemark/core/report-rules";
import { readCustomerNames } from "@tidemark/db/customer-names";
import {
  type ChangedCustomer,
  type ChangedCustomers,
  COMPARED,
  readChangedCustomers,
} from "@tidemark/db/customer-windows";
import { toInstantText } from "../../plumbing/instant.ts";
import { clamp, toQuantity } from "../../quantity.ts";
import { foldEverybody } from "./fold-everybody.ts";
import type { RankingQuestion } from "./rank-users.ts";
import { aboutReport, readViews, type ReportSubject } from "./report-subject.ts";
import { datesOf, joinDays, reportWindow } from "./report-window.ts";

type Asked = Pick<QuestionOf<"growing" | "dropping">["params"], "days" | "limit"> & {
  readonly report: ComparedAnswer["report"];
  /** Whether as many whole days are compared, up to today, or both windows without their last, as trends are. */
  readonly whole: boolean;
};

/**
 * The customers whose usage grew, or dropped, on the equal period before.
 *
 * @throws Problem invalid_request where a distinct count would have to unite too many days.
 */
export async function changedCustomers(
  db: D1Database,
  subject: ReportSubject,
  { report, days, limit, whole }: Asked,
): Promise<ComparedAnswer> {
  const { metric } = subject;
  const rule = RULES[report];
  const periods = periodsOf(subject, days, whole);
  const { time_zone, current, previous } = periods;
  const plan = planDays([previous, current, periods.since]);
  const question = { ...subject, plan, views: await readViews(db, subject) };
  const { count, customers, approximate } =
    metric.aggregation === "unique"
      ? await compareDistinct(db, question, rule, limit)
      : { ...(await compare(db, question, rule, limit)), approximate: false };
  const ids = customers.map(({ customer_id }) => customer_id);
  const names = await readCustomerNames(db, subject.project.id, ids);
  const { from, to } = datesOf(current, time_zone);
  const before = datesOf(previous, time_zone);
  return {
    report,
    ...aboutReport(subject, { days, from, to, time_zone }, approximate),
    previous_from: before.from,
    previous_to: before.to,
    rule: rule.when,
    count,
    data: customers.map(({ customer_id, value, previous: used, last_at }, index) => ({
      rank: index + 1,
      customer_id,
      name: names.get(customer_id) ?? null,
      value: toQuantity(value, metric),
      previous: toQuantity(used, metric),
      change: changeOf(clamp(value ?? 0n, metric), used) ?? "0",
      last_seen_at: toInstantText(last_at),
    })),
  };
}

const RULES: Readonly<Record<ComparedAnswer["report"], ChangeRule>> = { growing: GROWING, dropping: DROPPING };

interface Periods {
  readonly time_zone: string;
  readonly previous: Span;
  readonly current: Span;
  /** What has followed, which is not over. */
  readonly since: Span;
}

/** Neither period has the day that is not over. */
function periodsOf(subject: ReportSubject, count: number, whole: boolean): Periods {
  const { time_zone, days } = reportWindow(subject, 2 * count + 1);
  const today = days.length - 1;
  const length = whole ? count : count - 1;
  return {
    time_zone,
    previous: joinDays(days.slice(today - count - length, today - count)),
    current: joinDays(days.slice(today - length, today)),
    since: joinDays(days.slice(today)),
  };
}

async function compare(
  db: D1Database,
  { project, metric, views, plan }: RankingQuestion,
  rule: ChangeRule,
  limit: number,
): Promise<ChangedCustomers> {
  const { aggregation } = metric;
  if (aggregation === "unique") throw new Error("The database does not unite ids.");
  const counters = views.map((view) => ({ counter_id: view.counter_id, plan: limitPlan(plan, view) }));
  const scope = { project_id: project.id, counters, aggregation };
  return readChangedCustomers(db, scope, rule, { limit, clamp: !metric.allow_negative });
}

async function compareDistinct(
  db: D1Database,
  question: RankingQuestion,
  rule: ChangeRule,
  limit: number,
): Promise<ChangedCustomers & { readonly approximate: boolean }> {
  const changed: ChangedCustomer[] = [];
  let approximate = false;
  for (const [customer_id, { fold, last_at }] of await foldEverybody(db, question)) {
    const figures = fold.figures();
    const value = figures.find(({ bucket }) => bucket === COMPARED.current)?.total;
    const previous = figures.find(({ bucket }) => bucket === COMPARED.previous)?.total ?? 0n;
    approximate ||= figures.some((figure) => figure.approximate);
    if (hasChanged(rule, value ?? 0n, previous)) changed.push({ customer_id, value, previous, last_at });
  }
  const isUp = rule.side === "above";
  const customers = changed.toSorted((a, b) => (isUp ? byChange(b, a) : byChange(a, b)) || byPrevious(a, b));
  return { count: changed.length, customers: customers.slice(0, limit), approximate };
}

/** By what of before is left, the least first. */
function byChange(a: ChangedCustomer, b: ChangedCustomer): number {
  const difference = (a.value ?? 0n) * b.previous - (b.value ?? 0n) * a.previous;
  return Number(difference > 0n) - Number(difference < 0n);
}

function byPrevious(a: ChangedCustomer, b: ChangedCustomer): number {
  return Number(b.previous > a.previous) - Number(b.previous < a.previous) || (a.customer_id < b.customer_id ? -1 : 1);
}
