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

/** A row of the list, by its key. */
export interface WatchKey {
  readonly due_at: number;
  readonly id: string;
}

/** A customer who has not reached D1 with what a row promised. */
export interface Overdue extends WatchKey {
  readonly project_id: string;
  readonly customer_id: string;
}

const DUE = "SELECT due_at, id, project_id, customers FROM watches WHERE due_at < ?1 ORDER BY due_at, id LIMIT ?2";
const DUE_KEYS = "SELECT due_at, id FROM watches WHERE due_at < ?1 ORDER BY due_at, id LIMIT ?2";
const OVERDUE = `
  SELECT w.due_at, w.id, w.project_id, c.value ->> 0 AS customer_id
  FROM (${DUE}) w, json_each(w.customers) c
  LEFT JOIN usage_days d
    ON d.project_id = w.project_id AND d.metric_id = c.value ->> 1 AND d.day = c.value ->> 2
    AND d.customer_id = c.value ->> 0
  WHERE d.version IS NULL OR d.version < c.value ->> 3`;

/** The first rows that were due before an instant, and which of their customers are overdue. */
export async function listDue(
  db: D1Database,
  before: number,
  limit: number,
): Promise<{ readonly rows: readonly WatchKey[]; readonly overdue: readonly Overdue[] }> {
  const [rows, overdue] = await db.batch([
    db.prepare(DUE_KEYS).bind(before, limit),
    db.prepare(OVERDUE).bind(before, limit),
  ]);
  return { rows: (rows?.results ?? []) as WatchKey[], overdue: (overdue?.results ?? []) as Overdue[] };
}

/** Takes rows off the list. */
export async function deleteWatches(db: D1Database, rows: readonly WatchKey[]): Promise<void> {
  await db
    .prepare("DELETE FROM watches WHERE (due_at, id) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))")
    .bind(JSON.stringify(rows.map((row) => [row.due_at, row.id])))
    .run();
}
