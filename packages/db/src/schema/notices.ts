import { sql } from "drizzle-orm";
import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

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
