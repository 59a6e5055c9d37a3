import type { Customers, CustomersQuery, ListedCustomer } from "@tidemark/contract/customer-schema";
import type { MetricDefinition } from "@tidemark/contract/metric-schema";
import { CUSTOMER_CELLS_MAX, CUSTOMER_FILE_ROWS_MAX } from "@tidemark/contract/query-limits";
import { readLastSeen } from "@tidemark/db/customer-columns";
import {
  type CustomerCursor,
  type CustomerFilter,
  type CustomerRow,
  listCustomers,
  type SortedCustomer,
} from "@tidemark/db/customers";
import { Problem } from "@tidemark/http/problem";
import { type Cursor, type Page, readCursor, toPage } from "../../plumbing/cursor.ts";
import { toInstantText, toOptionalInstant } from "../../plumbing/instant.ts";
import { invalid } from "../../plumbing/issues.ts";
import { requireProject } from "../../project.ts";
import { toCustomer } from "./customer.ts";
import { type OrderCursor, orderCustomers, type OrderSubject } from "./order-customers.ts";
import { type ListQuestion, readList } from "./read-list.ts";
import { countersOf, emptyUsage, planColumns, readColumn, type UsageColumn } from "./usage-columns.ts";

/**
 * A page of customers, with a column for each metric that is asked for; of a file, as many as one may hold.
 *
 * @throws Problem invalid_request, invalid_cursor.
 */
export async function answerCustomers(
  db: D1Database,
  projectId: string,
  query: CustomersQuery,
  isFile: boolean,
): Promise<Customers> {
  const now = Date.now();
  const [project, question] = await Promise.all([requireProject(db, projectId), readList(db, projectId, query)]);
  const limit = readLimit(query.limit, question, isFile);
  const columns = await planColumns(db, project, question.metrics ?? [], now);
  const page = await readPage(db, { project_id: projectId, query, question, columns, limit });
  const data = page.rows.map(toCustomer);
  const { next_cursor } = page;
  if (question.metrics === null) return { data, next_cursor };
  return {
    data: await addColumns(db, projectId, data, columns),
    next_cursor,
    metrics: columns.map(toColumn),
    time_zone: columns[0]?.windows.time_zone ?? project.time_zone,
    as_of: toInstantText(now),
  };
}

function readLimit(asked: number, { metrics }: ListQuestion, isFile: boolean): number {
  const most = Math.floor(CUSTOMER_CELLS_MAX / Math.max(metrics?.length ?? 0, 1));
  if (isFile) return Math.min(CUSTOMER_FILE_ROWS_MAX, most);
  if (asked <= most) return asked;
  const detail = `With ${metrics?.length ?? 0} metrics a page can have at most ${most} rows: ask for fewer of either.`;
  throw invalid([{ pointer: "/limit", code: "too_many_rows", detail }]);
}

interface PageRequest {
  readonly project_id: string;
  readonly query: CustomersQuery;
  readonly question: ListQuestion;
  readonly columns: readonly UsageColumn[];
  readonly limit: number;
}

/** Cursors belong to an order: that of another one is refused. */
async function readPage(db: D1Database, request: PageRequest): Promise<Page<CustomerRow>> {
  const { project_id, query, question, columns, limit } = request;
  const list = `customers ${query.sort}`;
  const filter: CustomerFilter = { q: query.q, plan: query.plan };
  const { sort, descending, min } = question;
  if (sort.kind === "field") {
    const after = readFieldCursor(query.cursor, list);
    const options = { filter, sort: sort.field, descending, after, limit: limit + 1 };
    return toPage(await listCustomers(db, project_id, options), limit, list, writeFieldCursor);
  }
  const ordering = { project_id, subject: subjectOf(sort, columns), filter, descending, min, limit: limit + 1 };
  const ordered = await orderCustomers(db, ordering, readOrderCursor(query.cursor, list));
  const { rows, next_cursor } = toPage(ordered, limit, list, ({ cursor: { chunk, value, customer_id } }): Cursor => [
    chunk.value,
    chunk.customer_id,
    value,
    customer_id,
  ]);
  return { rows: rows.map(({ row }) => row), next_cursor };
}

function subjectOf(
  sort: Exclude<ListQuestion["sort"], { kind: "field" }>,
  columns: readonly UsageColumn[],
): OrderSubject {
  if (sort.kind === "last_seen_at") return { kind: "last_seen_at", columns };
  const column = columns.find(({ metric }) => metric.slug === sort.slug);
  if (column === undefined) throw new Error("A list has a column of the metric that it is sorted by.");
  return { kind: "value", column };
}

/** A cursor of a list that is sorted by a field: its kind, because there may be none, the field and the id. */
function readFieldCursor(text: string | undefined, list: string): CustomerCursor | undefined {
  const parts = readCursor(text, list, ["string", "string", "string"])?.map(String);
  if (parts === undefined) return undefined;
  const [kind, key = "", customer_id = ""] = parts;
  return { key: kind === "none" ? null : kind === "number" ? Number(key) : key, customer_id };
}

function writeFieldCursor({ sort_key, customer_id }: SortedCustomer): Cursor {
  return [sort_key === null ? "none" : typeof sort_key, String(sort_key ?? ""), customer_id];
}

function readOrderCursor(text: string | undefined, list: string): OrderCursor | undefined {
  const parts = readCursor(text, list, ["string", "string", "string", "string"])?.map(String);
  if (parts === undefined) return undefined;
  const [chunkValue = "", chunkId = "", value = "", customer_id = ""] = parts;
  const isChunk = value === "" ? chunkValue === "" : (chunkValue === "") === (chunkId === "");
  if (!isChunk || ![chunkValue, value].every((number) => /^(?:-?\d{1,40})?$/.test(number)))
    throw new Problem("invalid_cursor", "This list has not given out this cursor.");
  return { chunk: { value: chunkValue, customer_id: chunkId }, value, customer_id };
}

async function addColumns(
  db: D1Database,
  projectId: string,
  customers: readonly ListedCustomer[],
  columns: readonly UsageColumn[],
): Promise<ListedCustomer[]> {
  const ids = customers.map(({ customer_id }) => customer_id);
  const usageOf = await Promise.all(columns.map((column) => readColumn(db, projectId, column, ids)));
  const seen = await Promise.all(
    columns.map((column) => readLastSeen(db, projectId, countersOf(column, "window"), ids)),
  );
  const lastSeen = (id: string): number => Math.max(0, ...seen.map((times) => times.get(id) ?? 0));
  return customers.map((customer) => ({
    ...customer,
    last_seen_at: toOptionalInstant(lastSeen(customer.customer_id) || null),
    usage: Object.fromEntries(
      columns.map(({ metric }, index) => [
        metric.slug,
        usageOf[index]?.get(customer.customer_id) ?? emptyUsage(metric),
      ]),
    ),
  }));
}

function toColumn({ metric }: UsageColumn): NonNullable<Customers["metrics"]>[number] {
  return {
    metric: metric.slug,
    name: metric.name,
    unit: metric.unit,
    days: metric.display.interval_days,
    ...toDisplay(metric),
  };
}

/** How a metric's figures are shown. */
export function toDisplay({
  display,
}: MetricDefinition): Pick<MetricDefinition["display"], "format" | "currency" | "style"> {
  const { format, currency, style } = display;
  return { format, currency, style };
}
