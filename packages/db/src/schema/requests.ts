import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

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
