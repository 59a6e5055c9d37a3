import type { QuarantineEntry } from "@tidemark/contract";

/** Keeps an entry; one that is there already stays as it is. */
export function insertQuarantine(db: D1Database, projectId: string, entry: QuarantineEntry): D1PreparedStatement {
  return db
    .prepare(
      "INSERT INTO quarantine (project_id, id, reason, detail, customer_id, body, created_at) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    )
    .bind(projectId, entry.id, entry.reason, entry.detail, entry.customer_id, entry.body, entry.at);
}
