import { and, eq, type SQL, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { prepare } from "./prepare.ts";
import { customers } from "./schema.ts";

export type CustomerRow = typeof customers.$inferSelect;

const COLUMNS = {
  project_id: customers.project_id,
  customer_id: customers.customer_id,
  name: customers.name,
  plan: customers.plan,
  time_zone: customers.time_zone,
  attributes: customers.attributes,
  first_seen_at: customers.first_seen_at,
  created_at: customers.created_at,
};

/** What people can say about a customer; a field that is absent stays as it is. */
export type CustomerChange = {
  readonly [Field in "name" | "plan" | "time_zone" | "attributes"]?: CustomerRow[Field] | undefined;
};

/** Which customers of a project. */
export interface CustomerFilter {
  /** Their id begins with this, or their name contains it; A to Z in the name in either case. */
  readonly q: string;
  readonly plan: string | undefined;
}

export type CustomerSort = "customer_id" | "name" | "first_seen_at";

/** Where a page ended: the sort key of its last customer. */
export interface CustomerCursor {
  readonly key: string | number | null;
  readonly customer_id: string;
}

interface CustomerPage {
  readonly filter: CustomerFilter;
  readonly sort: CustomerSort;
  readonly descending: boolean;
  readonly after: CustomerCursor | undefined;
  readonly limit: number;
}

export interface SortedCustomer extends CustomerRow {
  readonly sort_key: string | number | null;
}

/** A page of a project's customers. Who has nothing to be sorted by comes last, and equals are in the order of ids. */
export async function listCustomers(
  db: D1Database,
  projectId: string,
  { filter, sort, descending, after, limit }: CustomerPage,
): Promise<SortedCustomer[]> {
  const key = SORT_KEYS[sort];
  const direction = descending ? sql`DESC` : sql`ASC`;
  const query = sql`
    SELECT ${CUSTOMER_COLUMNS}, ${key} AS sort_key
    FROM customers AS c
    WHERE c.project_id = ${projectId} ${matches(filter)} ${follows(key, descending, after)}
    ORDER BY ${sort === "customer_id" ? sql`` : sql`${key} IS NULL, ${key} ${direction},`}
      c.customer_id ${sort === "customer_id" ? direction : sql``}
    LIMIT ${limit}`;
  const { results } = await prepare(db, query).all<SortedCustomer>();
  return results;
}

const CUSTOMER_COLUMNS = sql`
  c.project_id, c.customer_id, c.name, c.plan, c.time_zone, c.attributes, c.first_seen_at, c.created_at`;

const SORT_KEYS: Readonly<Record<CustomerSort, SQL>> = {
  customer_id: sql`c.customer_id`,
  name: sql`LOWER(c.name)`,
  first_seen_at: sql`c.first_seen_at`,
};

function follows(key: SQL, descending: boolean, after: CustomerCursor | undefined): SQL {
  if (after === undefined) return sql``;
  if (after.key === null) return sql`AND ${key} IS NULL AND c.customer_id > ${after.customer_id}`;
  const isBehind = descending ? sql`${key} < ${after.key}` : sql`${key} > ${after.key}`;
  return sql`AND (${isBehind} OR (${key} = ${after.key} AND c.customer_id > ${after.customer_id}) OR ${key} IS NULL)`;
}

/** Conditions on the customer `c`. */
export function matches({ q, plan }: CustomerFilter): SQL {
  const search =
    q === ""
      ? sql``
      : sql`AND (
          (c.customer_id >= ${q} AND c.customer_id < ${`${q}${LAST_CHARACTER}`})
          OR INSTR(LOWER(c.name), LOWER(${q})) > 0
        )`;
  return plan === undefined ? search : sql`${search} AND c.plan = ${plan}`;
}

/** Sorts behind every character that an id can go on with, so that comparing finds prefixes, whatever they hold. */
const LAST_CHARACTER = "\u{10ffff}";

/** Customers by their ids; in no order. */
export async function findCustomers(
  db: D1Database,
  projectId: string,
  customerIds: readonly string[],
): Promise<CustomerRow[]> {
  const query = sql`
    SELECT ${CUSTOMER_COLUMNS}
    FROM json_each(${JSON.stringify(customerIds)}) AS k CROSS JOIN customers AS c
    WHERE c.project_id = ${projectId} AND c.customer_id = k.value`;
  const { results } = await prepare(db, query).all<CustomerRow>();
  return results;
}

/** One customer. */
export async function findCustomer(
  db: D1Database,
  projectId: string,
  customerId: string,
): Promise<CustomerRow | undefined> {
  return drizzle(db)
    .select(COLUMNS)
    .from(customers)
    .where(and(eq(customers.project_id, projectId), eq(customers.customer_id, customerId)))
    .get();
}

/** Changes what is known about a customer. @returns the customer as it is now, `undefined` when there is none. */
export async function updateCustomer(
  db: D1Database,
  address: { readonly project_id: string; readonly customer_id: string },
  change: CustomerChange,
): Promise<CustomerRow | undefined> {
  const [row] = await drizzle(db)
    .update(customers)
    .set(change)
    .where(and(eq(customers.project_id, address.project_id), eq(customers.customer_id, address.customer_id)))
    .returning(COLUMNS);
  return row;
}
