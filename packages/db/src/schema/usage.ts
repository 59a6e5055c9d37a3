import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/**
 * Daily aggregates, absolute and versioned. The day stands before the customer, so that a project-wide
 * question reads the days it asks for however long the history is; one customer's days are looked up
 * one by one.
 */
export const usageDays = sqliteTable(
  "usage_days",
  {
    project_id: text("project_id").notNull(),
    /** The counter: a metric's id, or that of one of its later versions. */
    metric_id: text("metric_id").notNull(),
    day: integer("day").notNull(),
    customer_id: text("customer_id").notNull(),
    version: integer("version").notNull(),
    value: integer("value").notNull(),
    events: integer("events").notNull(),
    rejected: integer("rejected").notNull(),
    last_at: integer("last_at").notNull(),
    /** `DayGroup[]` as JSON. */
    groups: text("groups").notNull(),
    /** `DistinctIds` of the whole day as JSON, for distinct counts. */
    ids: text("ids"),
    /** `Rejection[]` as JSON, where anything was rejected. */
    rejections: text("rejections"),
    /** 1 where a quantity of this day does not fit 64 bits: then `value` is 0, and `groups` holds it exactly. */
    overflow: integer("overflow").notNull().default(0),
  },
  (table) => [primaryKey({ columns: [table.project_id, table.metric_id, table.day, table.customer_id] })],
);

/** Flushes that meters owe, one row per batch of events: the sweeper's list. */
export const watches = sqliteTable(
  "watches",
  {
    due_at: integer("due_at").notNull(),
    /** Of the batch's content, so that a redelivery writes the same row. */
    id: text("id").notNull(),
    project_id: text("project_id").notNull(),
    /** `[customer_id, metric_id, day, version][]` as JSON. */
    customers: text("customers").notNull(),
  },
  (table) => [primaryKey({ columns: [table.due_at, table.id] })],
);

/** Grows with every change of what reports are made of. */
export const usageMarks = sqliteTable("usage_marks", {
  project_id: text("project_id").primaryKey(),
  version: integer("version").notNull(),
});

/** Answers of reports, kept until what they are made of changes. */
export const snapshots = sqliteTable(
  "snapshots",
  {
    project_id: text("project_id").notNull(),
    /** SHA-256 of the question. */
    key: text("key").notNull(),
    /** What it was made of: versions of usage and catalog. */
    mark: text("mark").notNull(),
    made_at: integer("made_at").notNull(),
    /** How long it took to make. */
    took_ms: integer("took_ms").notNull(),
    /** The answer as JSON. */
    body: text("body").notNull(),
  },
  (table) => [primaryKey({ columns: [table.project_id, table.key] }), index("snapshots_by_age").on(table.made_at)],
);
