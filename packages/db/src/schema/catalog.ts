import { sql } from "drizzle-orm";
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";

export const projects = sqliteTable("projects", {
  id: text("id").primaryKey(),
  name: text("name").notNull(),
  time_zone: text("time_zone").notNull(),
  /** Grows with every change of the project's metrics, thresholds and products, so that who keeps them can tell when to read them again. */
  catalog_version: integer("catalog_version").notNull(),
  created_at: integer("created_at").notNull(),
});

/** An API key: the secret itself is never stored, only its HMAC. */
export const apiKeys = sqliteTable(
  "api_keys",
  {
    project_id: text("project_id").notNull(),
    id: text("id").primaryKey(),
    name: text("name").notNull(),
    /** Space-separated: ingest, read, admin. */
    scopes: text("scopes").notNull(),
    /** HMAC-SHA-256 of the whole key under the deployment's pepper, hexadecimal. */
    hash: text("hash").notNull(),
    created_at: integer("created_at").notNull(),
    revoked_at: integer("revoked_at"),
  },
  (table) => [index("api_keys_by_project").on(table.project_id, table.created_at)],
);

export const metrics = sqliteTable(
  "metrics",
  {
    project_id: text("project_id").notNull(),
    id: text("id").notNull(),
    slug: text("slug").notNull(),
    /** Of what is counted; the definition below is this version's. */
    version: integer("version").notNull(),
    /** A `MetricInput` with its slug, as JSON. */
    definition: text("definition").notNull(),
    created_at: integer("created_at").notNull(),
    updated_at: integer("updated_at").notNull(),
    /** A deleted metric keeps its row, and with it its slugs. */
    deleted_at: integer("deleted_at"),
  },
  (table) => [
    primaryKey({ columns: [table.project_id, table.id] }),
    uniqueIndex("metrics_by_slug").on(table.project_id, table.slug),
  ],
);

/** Every slug that a metric ever had: it goes on naming that metric and never names another. */
export const metricSlugs = sqliteTable(
  "metric_slugs",
  {
    project_id: text("project_id").notNull(),
    slug: text("slug").notNull(),
    metric_id: text("metric_id").notNull(),
  },
  (table) => [primaryKey({ columns: [table.project_id, table.slug] })],
);

/** What a metric counted, from when: a version for each change of the rules of counting. */
export const metricVersions = sqliteTable(
  "metric_versions",
  {
    project_id: text("project_id").notNull(),
    metric_id: text("metric_id").notNull(),
    version: integer("version").notNull(),
    /** Under what this version's usage is kept: `usage_days.metric_id`. */
    counter_id: text("counter_id").notNull(),
    /** A `MetricInput` with its slug, as JSON. */
    definition: text("definition").notNull(),
    /** Limits and charges follow this version for events that happened from here on. */
    effective_from: integer("effective_from").notNull(),
    /** It counts events that happened from here on; null for however long ago. */
    counts_from: integer("counts_from"),
    /** Besides, those that happened in these spans, `[from, until][]` as JSON: they have been counted from the archive. */
    backfilled: text("backfilled").notNull().default("[]"),
    /** Charts show it from here on, in place of the version before; null for however long ago. */
    shown_from: integer("shown_from"),
    created_at: integer("created_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.project_id, table.metric_id, table.version] })],
);

/** What is sold. */
export const products = sqliteTable(
  "products",
  {
    project_id: text("project_id").notNull(),
    id: text("id").notNull(),
    slug: text("slug").notNull(),
    /** fee, seat, connected_seat, usage or credit. */
    kind: text("kind").notNull(),
    metric_id: text("metric_id"),
    /** A `ProductDefinition` as JSON. */
    definition: text("definition").notNull(),
    created_at: integer("created_at").notNull(),
    updated_at: integer("updated_at").notNull(),
    /** 1 for the one that unknown customers are subscribed to. */
    is_default: integer("is_default").notNull().default(0),
  },
  (table) => [
    primaryKey({ columns: [table.project_id, table.id] }),
    uniqueIndex("products_by_slug").on(table.project_id, table.slug),
    index("products_by_metric").on(table.project_id, table.metric_id),
    uniqueIndex("products_default")
      .on(table.project_id)
      .where(sql`is_default = 1`),
  ],
);

/** Lines that usage can cross. */
export const thresholds = sqliteTable(
  "thresholds",
  {
    project_id: text("project_id").notNull(),
    id: text("id").notNull(),
    metric_id: text("metric_id").notNull(),
    /** Null for every customer. */
    customer_id: text("customer_id"),
    /** Counts the changes: each can be crossed once more. */
    version: integer("version").notNull(),
    /** A `ThresholdDefinition` as JSON. */
    definition: text("definition").notNull(),
    created_at: integer("created_at").notNull(),
    updated_at: integer("updated_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.project_id, table.id] })],
);
