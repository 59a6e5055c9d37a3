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
 * Where a page ended. Customers are ordered some thousands at a time: `chunk` is the one before the first of
 * those, and `value` "" when the last customer of the page had none.
 */
export interface OrderCursor {
  readonly chunk: ChunkStart;
  readonly value: string;
  readonly customer_id: string;
}

interface ChunkStart {
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
 * @throws Problem invalid_request where a distinct count would have to unite too many days.
 */
export async function orderCustomers(
  db: D1Database,
  question: OrderQuestion,
  after: OrderCursor | undefined,
): Promise<readonly OrderedCustomer[]> {
  const { limit } = question;
  let chunk = after?.chunk ?? TOP;
  let entries = await readChunk(db, question, chunk);
  let rest = after === undefined ? entries : behind(entries, after, question.descending);
  const taken: { readonly entry: Entry; readonly chunk: ChunkStart }[] = [];
  for (;;) {
    const own = chunk;
    taken.push(...rest.slice(0, limit - taken.length).map((entry) => ({ entry, chunk: own })));
    const last = entries.at(-1);
    if (taken.length === limit || entries.length < CUSTOMERS_RANKED_MAX || last === undefined) break;
    chunk = { value: last[1], customer_id: last[0] };
    entries = await readChunk(db, question, chunk);
    rest = entries;
  }
  const rows = await findCustomers(
    db,
    question.project_id,
    taken.map(({ entry }) => entry[0]),
  );
  const byId = new Map(rows.map((row) => [row.customer_id, row]));
  const ordered = taken.flatMap(({ entry: [customer_id, value], chunk: own }) => {
    const row = byId.get(customer_id);
    return row === undefined ? [] : [{ row, cursor: { chunk: own, value, customer_id } }];
  });
  if (taken.length === limit || question.min !== undefined) return ordered;
  const others = await listWithout(db, scopeOf(question), {
    filter: question.filter,
    // With one chunk, whoever has a value is in it.
    ordered: chunk.customer_id === "" ? entries.map(([id]) => id) : null,
    after: after?.value === "" ? after.customer_id : "",
    limit: limit - taken.length,
  });
  return [...ordered, ...others.map((row) => ({ row, cursor: { chunk, value: "", customer_id: row.customer_id } }))];
}

const TOP: ChunkStart = { value: "", customer_id: "" };

/** A customer's id, and its value as text. */
type Entry = readonly [customer_id: string, value: string];

/** What follows the last customer of a page, who may have moved since. */
function behind(entries: readonly Entry[], after: OrderCursor, descending: boolean): readonly Entry[] {
  if (after.value === "") return [];
  const at = entries.findIndex(([id, value]) => id === after.customer_id && value === after.value);
  if (at >= 0) return entries.slice(at + 1);
  const last = BigInt(after.value);
  return entries.filter(([id, value]) => {
    const own = BigInt(value);
    return own === last ? id > after.customer_id : own < last === descending;
  });
}

async function readChunk(db: D1Database, question: OrderQuestion, start: ChunkStart): Promise<readonly Entry[]> {
  const { project_id, subject, filter, descending, min } = question;
  const after = start.customer_id === "" ? undefined : { customer_id: start.customer_id, value: BigInt(start.value) };
  const columns = subject.kind === "value" ? [subject.column] : subject.columns;
  const key = [
    "customers",
    subject.kind,
    columns.map(({ metric, windows }) => [metric.id, windows]),
    { ...filter, descending, min: min?.toString() ?? null, start },
  ];
  return snapshot(db, project_id, key, async () => {
    const entries =
      subject.kind === "value" && subject.column.metric.aggregation === "unique"
        ? await orderDistinct(db, question, subject.column)
        : await orderByColumn(db, scopeOf(question), { filter, descending, min, after, limit: CUSTOMERS_RANKED_MAX });
    return entries.map(({ customer_id, value }): Entry => [customer_id, value.toString()]);
  });
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
