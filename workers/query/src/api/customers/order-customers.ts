import { CUSTOMERS_RANKED_MAX, RANKING_CANDIDATES_MAX } from "@tidemark/contract/query-limits";
import { limitPlan } from "@tidemark/core/day-plan";
import { UsageFold } from "@tidemark/core/usage-fold";
import {
  type ColumnEntry,
  type ColumnScope,
  filterCustomers,
  listWithout,
  orderByColumn,
} from "@tidemark/db/customer-columns";
import { type CustomerFilter, type CustomerRow, findCustomers } from "@tidemark/db/customers";
import { rankCustomers } from "@tidemark/db/top-customers";
import { FoldBudget } from "../../fold-budget.ts";
import { clamp } from "../../quantity.ts";
import { snapshot } from "../../snapshot.ts";
import { type CounterDay, countReads } from "../query/count-reads.ts";
import { foldCustomers } from "../reports/fold-customers.ts";
import { countersOf, type UsageColumn } from "./usage-columns.ts";

/** By what a list is ordered: a column, or when customers were last seen in some. */
export type OrderSubject =
  | { readonly kind: "value"; readonly column: UsageColumn }
  | { readonly kind: "last_seen_at"; readonly columns: readonly UsageColumn[] };

export interface OrderQuestion {
  readonly project_id: string;
  readonly subject: OrderSubject;
  readonly filter: CustomerFilter;
  readonly descending: boolean;
  readonly min: bigint | undefined;
  readonly limit: number;
}

/**
 * Where a page ended. `value` is "" when its last customer had none. Customers are ordered some thousands at a time,
 * and `chunk` is the one before the first of those.
 */
export interface OrderCursor extends Place {
  readonly chunk: Place;
}

interface Place {
  readonly value: string;
  readonly customer_id: string;
}

/** A customer, and where a page that ends with it ends. */
export interface OrderedCustomer {
  readonly row: CustomerRow;
  readonly cursor: OrderCursor;
}

/**
 * The next customers in the order of a value, and behind them, by id, those who have none. The order is kept
 * until usage changes, so that a page does not add up everything again.
 *
 * @throws Problem invalid_request where too many days would have to be added up, or their ids united.
 */
export async function orderCustomers(
  db: D1Database,
  question: OrderQuestion,
  after: OrderCursor | undefined,
): Promise<readonly OrderedCustomer[]> {
  const { limit, min, project_id } = question;
  const isBehindValues = after?.value === "";
  const taken = isBehindValues ? [] : await take(db, { ...question, read: readChunk }, after);
  if (taken.length < limit && min === undefined) {
    const others = { ...question, read: readOthers, limit: limit - taken.length };
    taken.push(...(await take(db, others, isBehindValues ? after : undefined)));
  }
  const rows = await findCustomers(
    db,
    project_id,
    taken.map(({ customer_id }) => customer_id),
  );
  const byId = new Map(rows.map((row) => [row.customer_id, row]));
  return taken.flatMap((cursor) => {
    const row = byId.get(cursor.customer_id);
    return row === undefined ? [] : [{ row, cursor }];
  });
}

const TOP: Place = { value: "", customer_id: "" };

/** The next customers, of one chunk after the other. */
async function take(
  db: D1Database,
  question: OrderQuestion & { readonly read: typeof readChunk },
  after: OrderCursor | undefined,
): Promise<OrderCursor[]> {
  const { limit, read } = question;
  const taken: OrderCursor[] = [];
  let chunk = after?.chunk ?? TOP;
  let entries = await read(db, question, chunk);
  let rest = after === undefined ? entries : behind(entries, after, question.descending);
  for (;;) {
    const own = chunk;
    const page = rest.slice(0, limit - taken.length);
    taken.push(...page.map(([customer_id, value]) => ({ chunk: own, value, customer_id })));
    const last = entries.at(-1);
    if (taken.length === limit || entries.length < CUSTOMERS_RANKED_MAX || last === undefined) return taken;
    chunk = { value: last[1], customer_id: last[0] };
    entries = await read(db, question, chunk);
    rest = entries;
  }
}

/** A customer's id, and its value as text; "" when it has none. */
type Entry = readonly [customer_id: string, value: string];

/** What follows the last customer of a page, who may have moved since. */
function behind(entries: readonly Entry[], after: OrderCursor, descending: boolean): readonly Entry[] {
  const at = entries.findIndex(([id, value]) => id === after.customer_id && value === after.value);
  if (at >= 0) return entries.slice(at + 1);
  const last = BigInt(after.value);
  return entries.filter(([id, value]) => {
    const own = BigInt(value);
    return own === last ? id > after.customer_id : own < last === descending;
  });
}

async function readChunk(db: D1Database, question: OrderQuestion, start: Place): Promise<readonly Entry[]> {
  const { project_id, subject, filter, descending, min } = question;
  const after = start.customer_id === "" ? undefined : { customer_id: start.customer_id, value: BigInt(start.value) };
  const key = ["customers", ...keyOf(question), { descending, min: min?.toString() ?? null, start }];
  return snapshot(db, project_id, key, async () => {
    await checkOrder(db, question);
    const entries =
      subject.kind === "value" && subject.column.metric.aggregation === "unique"
        ? await orderDistinct(db, question, subject.column)
        : await orderByColumn(db, scopeOf(question), { filter, descending, min, after, limit: CUSTOMERS_RANKED_MAX });
    return entries.map(({ customer_id, value }): Entry => [customer_id, value.toString()]);
  });
}

/** Those who have no value, by id. */
async function readOthers(db: D1Database, question: OrderQuestion, start: Place): Promise<readonly Entry[]> {
  const { project_id, filter } = question;
  const after = start.customer_id;
  return snapshot(db, project_id, ["customers without", ...keyOf(question), after], async () => {
    const valued = await readChunk(db, question, TOP);
    // With one chunk, whoever has a value is in it.
    const ordered = valued.length < CUSTOMERS_RANKED_MAX ? valued.map(([id]) => id) : null;
    const ids = await listWithout(db, scopeOf(question), { filter, ordered, after, limit: CUSTOMERS_RANKED_MAX });
    return ids.map((id): Entry => [id, ""]);
  });
}

function keyOf({ subject, filter }: OrderQuestion): readonly unknown[] {
  const columns = subject.kind === "value" ? [subject.column] : subject.columns;
  return [subject.kind, columns.map(({ metric, windows }) => [metric.id, windows]), filter];
}

/**
 * Whoever is searched for, the days of all customers are added up.
 *
 * @throws Problem invalid_request where they are too many.
 */
async function checkOrder(db: D1Database, { project_id, subject }: OrderQuestion): Promise<void> {
  const columns = subject.kind === "value" ? [subject.column] : subject.columns;
  const days: Record<"whole" | "hourly", CounterDay[]> = { whole: [], hourly: [] };
  for (const column of columns) {
    // When something was seen, and at most how many ids there are, is known of days.
    const isByDay = subject.kind === "last_seen_at" || column.metric.aggregation === "unique";
    const isByHour = !isByDay && column.metric.aggregation === "latest";
    for (const { counter_id, plan } of countersOf(column, "window")) {
      for (const [day] of plan.whole) days[isByHour ? "hourly" : "whole"].push([counter_id, day]);
      for (const [day] of plan.cut) days[isByDay ? "whole" : "hourly"].push([counter_id, day]);
    }
  }
  const remedy =
    subject.kind === "value"
      ? "Sort by a field, or by a metric with a shorter display interval; POST /v1/query orders customers over fewer days."
      : "Sort by a field, or ask for fewer `metrics`.";
  await countReads(db, { project_id, customer_ids: null, days }, { pointer: "/sort", remedy });
}

function scopeOf({ project_id, subject }: OrderQuestion): ColumnScope {
  if (subject.kind === "last_seen_at")
    return {
      kind: "last_seen_at",
      project_id,
      counters: subject.columns.flatMap((column) => countersOf(column, "window")),
    };
  const { metric } = subject.column;
  const counters = countersOf(subject.column, "window");
  const aggregation = metric.aggregation === "unique" ? "count" : metric.aggregation;
  return { kind: "value", project_id, counters, aggregation, clamp: !metric.allow_negative };
}

/** Ids have to be united before customers can be ordered by how many there are: all at once, or not at all. */
async function orderDistinct(
  db: D1Database,
  { project_id, filter, descending, min = 0n }: OrderQuestion,
  { metric, plans, views }: UsageColumn,
): Promise<readonly ColumnEntry[]> {
  const { aggregation } = metric;
  const plan = plans.spans.get("window") ?? { whole: [], cut: [] };
  const counters = views.map(({ counter_id, ...range }) => ({ counter_id, plan: limitPlan(plan, range) }));
  const budget = new FoldBudget(
    "/sort",
    "Sort by something else than a distinct count, or search for fewer customers.",
  );
  const options = { limit: RANKING_CANDIDATES_MAX, clamp: false };
  const candidates = await rankCustomers(db, { project_id, counters, aggregation }, options);
  if (candidates.length === RANKING_CANDIDATES_MAX) throw budget.exceeded();
  const ids = candidates.map(({ customer_id }) => customer_id);
  const wanted = await filterCustomers(db, project_id, filter, ids);
  const folding = { project_id, views, aggregation, plan, budget };
  const folds = foldCustomers(
    db,
    folding,
    ids.filter((id) => wanted.has(id)),
    () => new UsageFold(aggregation, plan),
  );
  const entries: ColumnEntry[] = [];
  for await (const [customer_id, fold] of folds) {
    const [figure] = fold.figures();
    if (figure !== undefined && figure.total >= min) entries.push({ customer_id, value: clamp(figure.total, metric) });
  }
  return entries.toSorted((a, b) => {
    if (a.value === b.value) return a.customer_id < b.customer_id ? -1 : 1;
    return a.value < b.value === descending ? 1 : -1;
  });
}
