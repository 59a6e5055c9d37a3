import type { NoticeKind } from "@tidemark/contract";
import type { AskedDestination, DestinationAddress } from "./destinations.ts";

/** A delivery that waits, with the notice it carries. */
export interface WaitingDelivery {
  readonly id: string;
  readonly destination_id: string;
  readonly attempts: number;
  /** Milliseconds. */
  readonly next_at: number;
  readonly notice_id: string;
  readonly kind: NoticeKind;
  readonly customer_id: string;
  readonly at: number;
  /** JSON. */
  readonly body: string;
}

const COLUMNS = `
  v.id, v.destination_id, v.attempts, v.next_at, n.id AS notice_id, n.kind, n.customer_id, n.at, n.body`;
const NOTICE = "JOIN notices n ON n.project_id = v.project_id AND n.id = v.notice_id";

/** One delivery, while it waits. */
export async function findWaiting(db: D1Database, projectId: string, id: string): Promise<WaitingDelivery | undefined> {
  const row = await db
    .prepare(
      `SELECT ${COLUMNS} FROM deliveries v ${NOTICE} WHERE v.project_id = ?1 AND v.id = ?2 AND v.state = 'waiting'`,
    )
    .bind(projectId, id)
    .first<WaitingDelivery>();
  return row ?? undefined;
}

/** What waits for a destination and is due, in the order in which it was made. */
export async function listDueOf(
  db: D1Database,
  { project_id, id }: DestinationAddress,
  { now, limit }: { readonly now: number; readonly limit: number },
): Promise<readonly WaitingDelivery[]> {
  const { results } = await db
    .prepare(
      // By that index: the one in the right order has all that was ever delivered there.
      `SELECT ${COLUMNS} FROM deliveries v INDEXED BY deliveries_of_destination ${NOTICE}
       WHERE v.project_id = ?1 AND v.destination_id = ?2 AND v.state = 'waiting' AND v.next_at <= ?3
       ORDER BY v.created_at, v.id LIMIT ?4`,
    )
    .bind(project_id, id, now, limit)
    .all<WaitingDelivery>();
  return results;
}

/** What an attempt makes of a delivery. */
export interface NextState {
  readonly id: string;
  /** How many attempts there had been when it was read. */
  readonly attempts: number;
  readonly state: "waiting" | "delivered" | "failed";
  /** When the next attempt is due. */
  readonly next_at: number;
}

/** How an attempt went. */
export interface AttemptResult {
  readonly status: number | null;
  readonly latency_ms: number | null;
  readonly error: string | null;
}

/** Notes an attempt that carried some deliveries, except for those of which another was noted since they were read. */
export function recordAttempt(
  db: D1Database,
  projectId: string,
  next: readonly NextState[],
  { status, latency_ms, error, now }: AttemptResult & { readonly now: number },
): D1PreparedStatement {
  // The project stands in each row, so that deliveries are looked up one by one and never scanned.
  const rows = next.map(({ id, attempts, state, next_at }) => [projectId, id, attempts, state, next_at]);
  return db
    .prepare(
      `UPDATE deliveries SET attempts = attempts + 1, state = i.value ->> 3, next_at = i.value ->> 4,
         wake_at = i.value ->> 4, last_status = ?2, last_latency_ms = ?3, last_error = ?4, last_at = ?5,
         ended_at = CASE i.value ->> 3 WHEN 'waiting' THEN NULL ELSE ?5 END
       FROM json_each(?1) i
       WHERE project_id = i.value ->> 0 AND deliveries.id = i.value ->> 1 AND attempts = i.value ->> 2
         AND state = 'waiting'`,
    )
    .bind(JSON.stringify(rows), status, latency_ms, error, now);
}

/** Ends a delivery whose destination takes none. */
export async function failWaiting(db: D1Database, projectId: string, id: string, now: number): Promise<void> {
  await db
    .prepare(
      `UPDATE deliveries SET state = 'failed', last_error = 'disabled', ended_at = ?3
       WHERE project_id = ?1 AND id = ?2 AND state = 'waiting'`,
    )
    .bind(projectId, id, now)
    .run();
}

/**
 * Sends nothing more to a destination until a person enables it, and keeps the notice of it: once, whoever else is doing
 * the same. @returns false when it is disabled already, or has moved since it was asked.
 */
export async function disableDestination(
  db: D1Database,
  { project_id, id, url }: AskedDestination,
  change: {
    readonly reason: "gone" | "failing";
    readonly now: number;
    readonly notice: { readonly id: string; readonly body: string };
  },
): Promise<boolean> {
  const { reason, now, notice } = change;
  const isAsked = "project_id = ?1 AND id = ?2 AND url = ?3 AND disabled_at IS NULL";
  const [, disabled] = await db.batch([
    db
      .prepare(
        `INSERT INTO notices (project_id, id, kind, customer_id, metric_id, at, body)
         SELECT ?1, ?4, 'destination_disabled', '', '', ?5, ?6 WHERE EXISTS (SELECT 1 FROM destinations WHERE ${isAsked})`,
      )
      .bind(project_id, id, url, notice.id, now, notice.body),
    db
      .prepare(`UPDATE destinations SET disabled_at = ?4, disabled_reason = ?5 WHERE ${isAsked}`)
      .bind(project_id, id, url, now, reason),
  ]);
  return disabled !== undefined && disabled.meta.changes > 0;
}

/** Ends all that waits for a destination, unless something is sent there again. */
export function endAllOf(db: D1Database, { project_id, id }: DestinationAddress, now: number): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE deliveries SET state = 'failed', last_error = 'disabled', ended_at = ?3
       WHERE (project_id, id) IN (
         SELECT project_id, id FROM deliveries INDEXED BY deliveries_of_destination
         WHERE project_id = ?1 AND destination_id = ?2 AND state = 'waiting')
       AND NOT EXISTS (SELECT 1 FROM destinations d WHERE d.project_id = ?1 AND d.id = ?2 AND d.disabled_at IS NULL)`,
    )
    .bind(project_id, id, now);
}
