import { and, asc, eq, gt, gte, lt } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
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

interface CustomerPage {
  /** Only ids that begin with this. */
  readonly prefix: string;
  readonly after: string | undefined;
  readonly limit: number;
}

/** A page of a project's customers, by id. */
export async function listCustomers(db: D1Database, projectId: string, page: CustomerPage): Promise<CustomerRow[]> {
  const { prefix, after, limit } = page;
  return drizzle(db)
    .select(COLUMNS)
    .from(customers)
    .where(
      and(
        eq(customers.project_id, projectId),
        prefix === "" ? undefined : gte(customers.customer_id, prefix),
        prefix === "" ? undefined : lt(customers.customer_id, `${prefix}${LAST_CHARACTER}`),
        after === undefined ? undefined : gt(customers.customer_id, after),
      ),
    )
    .orderBy(asc(customers.customer_id))
    .limit(limit);
}

/** Sorts behind every character that an id can go on with: a prefix is then a range of the primary key. */
const LAST_CHARACTER = "\u{10ffff}";

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
