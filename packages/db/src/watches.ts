/** A flush that a meter owes: the day it will send, at which version. */
export interface Watch {
  readonly customer_id: string;
  readonly metric_id: string;
  readonly day: number;
  readonly version: number;
}

/** A row of the sweeper's list. */
export interface WatchRow {
  readonly due_at: number;
  readonly id: string;
  readonly project_id: string;
  readonly watches: readonly Watch[];
}

type StoredWatch = readonly [customer_id: string, metric_id: string, day: number, version: number];

/** Lists the flushes that a batch of events made due. One row, however many customers. */
export function insertWatches(db: D1Database, row: WatchRow): D1PreparedStatement {
  const stored: StoredWatch[] = row.watches.map((watch) => [
    watch.customer_id,
    watch.metric_id,
    watch.day,
    watch.version,
  ]);
  return db
    .prepare("INSERT INTO watches (due_at, id, project_id, customers) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING")
    .bind(row.due_at, row.id, row.project_id, JSON.stringify(stored));
}

/** The rows that were due before an instant, oldest first. */
export async function listDueWatches(db: D1Database, before: number, limit: number): Promise<WatchRow[]> {
  const { results } = await db
    .prepare("SELECT due_at, id, project_id, customers FROM watches WHERE due_at < ? ORDER BY due_at LIMIT ?")
    .bind(before, limit)
    .all<{ due_at: number; id: string; project_id: string; customers: string }>();
  return results.map(({ customers, ...row }) => ({
    ...row,
    watches: (JSON.parse(customers) as StoredWatch[]).map(([customer_id, metric_id, day, version]) => ({
      customer_id,
      metric_id,
      day,
      version,
    })),
  }));
}

/** Which of a row's customers have not reached D1 with what was promised. */
export async function listOverdue(db: D1Database, row: WatchRow): Promise<Watch[]> {
  const { results } = await db
    .prepare(
      `SELECT w.value ->> 0 AS customer_id, w.value ->> 1 AS metric_id, w.value ->> 2 AS day, w.value ->> 3 AS version
       FROM json_each(?2) w LEFT JOIN usage_days d
         ON d.project_id = ?1 AND d.metric_id = w.value ->> 1 AND d.day = w.value ->> 2 AND d.customer_id = w.value ->> 0
       WHERE d.version IS NULL OR d.version < w.value ->> 3`,
    )
    .bind(
      row.project_id,
      JSON.stringify(row.watches.map((watch) => [watch.customer_id, watch.metric_id, watch.day, watch.version])),
    )
    .all<{ customer_id: string; metric_id: string; day: number; version: number }>();
  return results;
}

/** Takes a row off the list. */
export async function deleteWatches(db: D1Database, { due_at, id }: WatchRow): Promise<void> {
  await db.prepare("DELETE FROM watches WHERE due_at = ? AND id = ?").bind(due_at, id).run();
}
