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
  /** When the oldest flush was due that has not been seen to arrive, in milliseconds; `null` when none is. */
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
  SELECT MIN(due_at) AS oldest_due_at
  FROM (SELECT due_at, project_id FROM watches WHERE due_at < ?3 ORDER BY due_at, id LIMIT ?2)
  WHERE project_id = ?1`;

/** What of a project waits or has failed, among its newest `limit` of each. At most eight times `limit` rows. */
export async function readBacklog(db: D1Database, projectId: string, limit: number, now: number): Promise<Backlog> {
  const counts = [QUARANTINE, DELIVERIES, JOBS].map((query) => db.prepare(query).bind(projectId, limit));
  const due = db.prepare(OLDEST_DUE).bind(projectId, limit, now);
  const [quarantine, deliveries, jobs, watches] = await db.batch([...counts, due]);
  const [oldest] = (watches?.results ?? []) as { readonly oldest_due_at: number | null }[];
  return {
    quarantine: (quarantine?.results ?? []) as Figure[],
    deliveries: (deliveries?.results ?? []) as Figure[],
    jobs: (jobs?.results ?? []) as Figure[],
    oldest_due_at: oldest?.oldest_due_at ?? null,
  };
}

/** What counters counted, and what they could not. */
export interface CountedEvents {
  readonly counter_id: string;
  readonly events: number;
  readonly rejected: number;
}

/** Events of some counters' days, over all customers. A row for each customer's day. */
export async function countEvents(
  db: D1Database,
  projectId: string,
  counters: readonly CounterDays[],
): Promise<readonly CountedEvents[]> {
  const { results } = await db
    .prepare(
      `SELECT u.metric_id AS counter_id, SUM(u.events) AS events, SUM(u.rejected) AS rejected
       FROM json_each(?2) AS c CROSS JOIN usage_days AS u
       WHERE u.project_id = ?1 AND u.metric_id = c.value ->> 0 AND u.day BETWEEN c.value ->> 1 AND c.value ->> 2
       GROUP BY u.metric_id LIMIT ?3`,
    )
    .bind(projectId, toList(counters), counters.length)
    .all<CountedEvents>();
  return results;
}

/** The customers with most events in some counters' days. A row for each customer's day. */
export async function countCustomersEvents(
  db: D1Database,
  projectId: string,
  counters: readonly CounterDays[],
  limit: number,
): Promise<readonly Figure[]> {
  const { results } = await db
    .prepare(
      `SELECT u.customer_id AS key, SUM(u.events) AS count
       FROM json_each(?2) AS c CROSS JOIN usage_days AS u
       WHERE u.project_id = ?1 AND u.metric_id = c.value ->> 0 AND u.day BETWEEN c.value ->> 1 AND c.value ->> 2
       GROUP BY u.customer_id ORDER BY count DESC, key LIMIT ?3`,
    )
    .bind(projectId, toList(counters), limit)
    .all<Figure>();
  return results;
}

/** A row for each customer. */
export async function countCustomers(db: D1Database, projectId: string): Promise<number> {
  const row = await db
    .prepare("SELECT COUNT(*) AS count FROM customers WHERE project_id = ?1")
    .bind(projectId)
    .first<{ readonly count: number }>();
  return row?.count ?? 0;
}

function toList(counters: readonly CounterDays[]): string {
  return JSON.stringify(counters.map(({ counter_id, first, last }) => [counter_id, first, last]));
}
