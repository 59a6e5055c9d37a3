import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

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
