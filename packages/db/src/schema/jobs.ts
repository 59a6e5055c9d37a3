import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

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
