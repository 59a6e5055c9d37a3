import type { CounterDays } from "./project-usage.ts";

/** Things of one kind, counted. */
export interface Figure {
  readonly key: string;
  readonly count: number;
}

/** What waits or has failed. */
export interface Backlog {
  /** Entries that nobody has put back, by reason. */
  readonly quarantine: readonly Figure[];
  /** By state. */
  readonly deliveries: readonly Figure[];
  readonly jobs: readonly Figure[];
  /**
   * When the oldest flush was due that has not been seen to arrive, in milliseconds; `null` when none is. Where more of
   * other projects are due before it than are read, the last of those: its own was due no earlier.
   */
  readonly oldest_due_at: number | null;
}

/** The newest rows alone are counted: however long the history, `limit` rows of each table and index are read. */
const QUARANTINE = `
  SELECT reason AS key, COUNT(*) AS count
  FROM (SELECT reason, replayed_at FROM quarantine WHERE project_id = ?1 ORDER BY created_at DESC LIMIT ?2)
  WHERE replayed_at IS NULL GROUP BY reason`;
const DELIVERIES = `
  SELECT state AS key, COUNT(*) AS count
  FROM (SELECT state FROM deliveries WHERE project_id = ?1 ORDER BY created_at DESC LIMIT ?2)
  GROUP BY state`;
const JOBS = `
  SELECT state AS key, COUNT(*) AS count
  FROM (SELECT state FROM jobs WHERE project_id = ?1 ORDER BY created_at DESC LIMIT ?2)
  GROUP BY state`;
/** Every project's, because the list is the sweeper's and in its order. */
const OLDEST_DUE = `
  SELECT MIN(due_at) FILTER (WHERE project_id = ?1) AS own, MAX(due_at) AS last, COUNT(*) AS count
  FROM (SELECT due_at, project_id FROM watches WHERE due_at < ?3 ORDER BY due_at, id LIMIT ?2)`;

/** What of a project waits or has failed, among its newest `limit` of each. At most eight times `limit` rows. */
export async function readBacklog(db: D1Database, projectId: string, limit: number, now: number): Promise<Backlog> {
  const counts = [QUARANTINE, DELIVERIES, JOBS].map((query) => db.prepare(query).bind(projectId, limit));
  const oldest = db.prepare(OLDEST_DUE).bind(projectId, limit, now);
  const [quarantine, deliveries, jobs, watches] = await db.batch([...counts, oldest]);
  const [due] = (watches?.results ?? []) as {
    readonly own: number | null;
    readonly last: number | null;
    readonly count: number;
  }[];
  return {
    quarantine: (quarantine?.results ?? []) as Figure[],
    deliveries: (deliveries?.results ?? []) as Figure[],
    jobs: (jobs?.results ?? []) as Figure[],
    oldest_due_at: due?.own ?? (due?.count === limit ? due.last : null),
  };
}

/** What counters counted, and what they could not. */
export interface CountedEvents {
  readonly counter_id: string;
  readonly events: number;
  readonly rejected: number;
}

/** Customers' days of some counters, `?3` of them at most. */
const DAYS = `
  FROM json_each(?2) AS c CROSS JOIN usage_days AS u
  WHERE u.project_id = ?1 AND u.metric_id = c.value ->> 0 AND u.day BETWEEN c.value ->> 1 AND c.value ->> 2
  LIMIT ?3`;

/**
 * Events of some counters' days, over all customers. A row for each customer's day, as far as `limit`.
 *
 * @returns with `is_complete` false the least that they can be: there are more rows.
 */
export async function countEvents(
  db: D1Database,
  projectId: string,
  counters: readonly CounterDays[],
  limit: number,
): Promise<{ readonly counted: readonly CountedEvents[]; readonly is_complete: boolean }> {
  const { results } = await db
    .prepare(
      `SELECT counter_id, SUM(events) AS events, SUM(rejected) AS rejected, COUNT(*) AS days
       FROM (SELECT u.metric_id AS counter_id, u.events, u.rejected ${DAYS})
       GROUP BY counter_id LIMIT ?4`,
    )
    .bind(projectId, toList(counters), limit, counters.length)
    .all<CountedEvents & { readonly days: number }>();
  const read = results.reduce((sum, { days }) => sum + days, 0);
  return {
    counted: results.map(({ counter_id, events, rejected }) => ({ counter_id, events, rejected })),
    is_complete: read < limit,
  };
}

/** The customers with most events in some counters' days, among `limit` customers' days. A row for each of them. */
export async function countCustomersEvents(
  db: D1Database,
  projectId: string,
  counters: readonly CounterDays[],
  { top, limit }: { readonly top: number; readonly limit: number },
): Promise<readonly Figure[]> {
  const { results } = await db
    .prepare(
      `SELECT customer_id AS key, SUM(events) AS count
       FROM (SELECT u.customer_id, u.events ${DAYS})
       GROUP BY customer_id ORDER BY count DESC, key LIMIT ?4`,
    )
    .bind(projectId, toList(counters), limit, top)
    .all<Figure>();
  return results;
}

/** A row for each customer, as far as `limit`. */
export async function countCustomers(db: D1Database, projectId: string, limit: number): Promise<number> {
  const row = await db
    .prepare("SELECT COUNT(*) AS count FROM (SELECT 1 FROM customers WHERE project_id = ?1 LIMIT ?2)")
    .bind(projectId, limit)
    .first<{ readonly count: number }>();
  return row?.count ?? 0;
}

function toList(counters: readonly CounterDays[]): string {
  return JSON.stringify(counters.map(({ counter_id, first, last }) => [counter_id, first, last]));
}
