import { sql } from "drizzle-orm";
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";

/**
 * D1: the catalog, and what is derived from the meters. Time points are milliseconds, days are days
 * since 1970-01-01, quantities are whole numbers of the metric's smallest unit. Every table but
 * `projects` leads with `project_id`, and the hot one has no secondary index: each would be billed as
 * another row written.
 */

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

/** What people should hear of: thresholds that were crossed, digests, tests. */
export const notices = sqliteTable(
  "notices",
  {
    project_id: text("project_id").notNull(),
    /** Of what it tells, so that the same is told once. */
    id: text("id").notNull(),
    kind: text("kind").notNull(),
    customer_id: text("customer_id").notNull(),
    metric_id: text("metric_id").notNull(),
    at: integer("at").notNull(),
    /** As JSON. */
    body: text("body").notNull(),
    /** Only for this destination; null for every one that wants its kind. */
    destination_id: text("destination_id"),
  },
  (table) => [
    primaryKey({ columns: [table.project_id, table.id] }),
    index("notices_by_project").on(table.project_id, table.at),
  ],
);

/** Where notices go: webhooks and Slack channels. */
export const destinations = sqliteTable(
  "destinations",
  {
    project_id: text("project_id").notNull(),
    id: text("id").notNull(),
    /** webhook or slack. */
    kind: text("kind").notNull(),
    name: text("name").notNull(),
    /** The address, sealed under the deployment's pepper. */
    url: text("url").notNull(),
    /** The address as people may see it. */
    shown_url: text("shown_url").notNull(),
    /** Signing secrets, newest first, each with when it stops, sealed as JSON; null for Slack. */
    secrets: text("secrets"),
    /** Kinds of notices that it wants, as JSON; null for all. */
    wants: text("wants"),
    /** Nothing is sent before: the channel's pace, or an answer that nobody gave; 0 for a webhook that answers. */
    next_at: integer("next_at").notNull().default(0),
    /** Since when every attempt has failed. */
    failing_since: integer("failing_since"),
    disabled_at: integer("disabled_at"),
    disabled_reason: text("disabled_reason"),
    /** When it was made, or last enabled: what was told before does not go there. */
    enabled_at: integer("enabled_at").notNull(),
    created_at: integer("created_at").notNull(),
    updated_at: integer("updated_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.project_id, table.id] })],
);

/** A notice on its way to a destination. */
export const deliveries = sqliteTable(
  "deliveries",
  {
    project_id: text("project_id").notNull(),
    /** Of the notice and the destination, so that the same is delivered once. */
    id: text("id").notNull(),
    destination_id: text("destination_id").notNull(),
    notice_id: text("notice_id").notNull(),
    /** waiting, delivered or failed. */
    state: text("state").notNull(),
    attempts: integer("attempts").notNull(),
    /** When the next attempt is due. */
    next_at: integer("next_at").notNull(),
    /** When its message is missed: soon after that, and later each time one was sent in its place. */
    wake_at: integer("wake_at").notNull(),
    /** The receiver's answer to the last attempt, and how long it took; never its body. */
    last_status: integer("last_status"),
    last_latency_ms: integer("last_latency_ms"),
    /** What went wrong, in a word of ours. */
    last_error: text("last_error"),
    last_at: integer("last_at"),
    created_at: integer("created_at").notNull(),
    ended_at: integer("ended_at"),
  },
  (table) => [
    primaryKey({ columns: [table.project_id, table.id] }),
    index("deliveries_by_project").on(table.project_id, table.created_at),
    index("deliveries_by_destination").on(table.project_id, table.destination_id, table.created_at),
    index("deliveries_by_notice").on(table.project_id, table.notice_id),
    index("deliveries_ended")
      .on(table.ended_at)
      .where(sql`ended_at IS NOT NULL`),
    index("deliveries_waiting")
      .on(table.wake_at)
      .where(sql`state = 'waiting'`),
    index("deliveries_of_destination")
      .on(table.project_id, table.destination_id, table.next_at)
      .where(sql`state = 'waiting'`),
  ],
);

/** Weekly summaries: who grew, dropped, went quiet, or is near a limit. */
export const digests = sqliteTable(
  "digests",
  {
    project_id: text("project_id").notNull(),
    id: text("id").notNull(),
    name: text("name").notNull(),
    metric_id: text("metric_id").notNull(),
    destination_id: text("destination_id").notNull(),
    /** 1 is Monday; in the project's zone. */
    weekday: integer("weekday").notNull(),
    hour: integer("hour").notNull(),
    /** When the next is due: it names the week. */
    next_at: integer("next_at").notNull(),
    /** When it is made: once it is due, and later where that has failed. */
    try_at: integer("try_at").notNull(),
    /** Why the last one was not made. */
    last_error: text("last_error"),
    created_at: integer("created_at").notNull(),
    updated_at: integer("updated_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.project_id, table.id] }), index("digests_due").on(table.try_at)],
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

/** What reads the archive: recounts (backfill, rebuild, verify), and questions over raw events. */
export const jobs = sqliteTable(
  "jobs",
  {
    project_id: text("project_id").notNull(),
    id: text("id").notNull(),
    /** backfill, rebuild, verify or query. */
    kind: text("kind").notNull(),
    /** waiting, running, done or failed. */
    state: text("state").notNull(),
    /** What to recount, as JSON. */
    params: text("params").notNull(),
    /** Where it is and what it found, as JSON. */
    progress: text("progress").notNull(),
    /** A runner has it until then; after that another may take it. */
    leased_until: integer("leased_until").notNull(),
    created_at: integer("created_at").notNull(),
    updated_at: integer("updated_at").notNull(),
    finished_at: integer("finished_at"),
  },
  (table) => [
    primaryKey({ columns: [table.project_id, table.id] }),
    index("jobs_by_state").on(table.state, table.updated_at),
    index("jobs_by_project").on(table.project_id, table.created_at),
  ],
);

/** The customers that a job recounts. */
export const jobCustomers = sqliteTable(
  "job_customers",
  {
    project_id: text("project_id").notNull(),
    job_id: text("job_id").notNull(),
    customer_id: text("customer_id").notNull(),
    /** In which pass over the archive it was met first; 0 when its meter needs no recount. */
    pass: integer("pass").notNull(),
    /** open, compared or closed. */
    state: text("state").notNull(),
  },
  (table) => [primaryKey({ columns: [table.project_id, table.job_id, table.customer_id] })],
);

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

export const publications = sqliteTable(
  "publications",
  {
    id: text("id").primaryKey(),
    project_id: text("project_id").notNull(),
    title: text("title").notNull(),
    /** What is shown, frozen: `{report, params}` as JSON. */
    query: text("query").notNull(),
    /** SHA-256 of the key, hexadecimal. */
    key_hash: text("key_hash").notNull(),
    created_at: integer("created_at").notNull(),
    rotated_at: integer("rotated_at"),
    expires_at: integer("expires_at"),
    revoked_at: integer("revoked_at"),
  },
  (table) => [index("publications_by_project").on(table.project_id, table.created_at)],
);

/** What could not be counted, with the reason, until a person puts it back. */
export const quarantine = sqliteTable(
  "quarantine",
  {
    project_id: text("project_id").notNull(),
    id: text("id").notNull(),
    reason: text("reason").notNull(),
    detail: text("detail").notNull(),
    customer_id: text("customer_id"),
    body: text("body").notNull(),
    created_at: integer("created_at").notNull(),
    replayed_at: integer("replayed_at"),
  },
  (table) => [
    primaryKey({ columns: [table.project_id, table.id] }),
    index("quarantine_by_project").on(table.project_id, table.created_at),
  ],
);

/** Answers of POSTs that carried an `Idempotency-Key`, so that a retry gets the first one. */
export const idempotentAnswers = sqliteTable(
  "idempotent_answers",
  {
    project_id: text("project_id").notNull(),
    key: text("key").notNull(),
    /** SHA-256 of method, path and body. */
    request_hash: text("request_hash").notNull(),
    status: integer("status").notNull(),
    body: text("body").notNull(),
    created_at: integer("created_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.project_id, table.key] }),
    index("idempotent_answers_by_age").on(table.created_at),
  ],
);
