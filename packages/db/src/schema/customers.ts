import { sql } from "drizzle-orm";
import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** Customers appear with their first event; what people add to them is optional. */
export const customers = sqliteTable(
  "customers",
  {
    project_id: text("project_id").notNull(),
    customer_id: text("customer_id").notNull(),
    name: text("name"),
    plan: text("plan"),
    time_zone: text("time_zone"),
    /** A flat JSON object. */
    attributes: text("attributes"),
    first_seen_at: integer("first_seen_at"),
    created_at: integer("created_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.project_id, table.customer_id] })],
);

/**
 * What customers may use, or are charged for: allowances and subscriptions. A copy of what the customer's
 * meter decides by, for questions over customers; of a subscription without a metric there is no other.
 */
export const definitions = sqliteTable(
  "definitions",
  {
    project_id: text("project_id").notNull(),
    customer_id: text("customer_id").notNull(),
    /** `alw_…` or `sub_…`. */
    id: text("id").notNull(),
    /** Null for a subscription without a metric. */
    metric_id: text("metric_id"),
    /** Null for an allowance without a product. */
    product_id: text("product_id"),
    /** What to do when the meter cannot be reached: open or closed. */
    unavailable: text("unavailable").notNull(),
    /** Counts the meter's definitions, so that an older copy never takes the place of a newer one. */
    version: integer("version").notNull(),
    /** A `BalanceDefinition` as JSON. */
    body: text("body").notNull(),
    created_at: integer("created_at").notNull(),
    ended_at: integer("ended_at"),
  },
  (table) => [
    primaryKey({ columns: [table.project_id, table.customer_id, table.id] }),
    index("definitions_by_metric")
      .on(table.project_id, table.metric_id)
      .where(sql`ended_at IS NULL`),
    index("definitions_by_product")
      .on(table.project_id, table.product_id)
      .where(sql`ended_at IS NULL`),
  ],
);

/** Customers who came to four fifths of what a cycle gives them. Whether they still are there, their meter knows. */
export const nearLimits = sqliteTable(
  "near_limits",
  {
    project_id: text("project_id").notNull(),
    metric_id: text("metric_id").notNull(),
    customer_id: text("customer_id").notNull(),
    /** Which balance: a customer can have several of one metric. */
    balance: text("balance").notNull(),
    at: integer("at").notNull(),
    cycle_end: integer("cycle_end").notNull(),
  },
  (table) => [primaryKey({ columns: [table.project_id, table.metric_id, table.customer_id, table.balance] })],
);
