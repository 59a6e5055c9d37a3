import type { DeliverMessage, NoticeKind } from "@tidemark/contract";
import { and, desc, eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { type AgeCursor, olderThan } from "./age-cursor.ts";
import { deliveries, notices } from "./schema.ts";

export type DeliveryState = "waiting" | "delivered" | "failed";

/** A delivery as people see it, with what kind of notice it is of. */
export type DeliveryRow = Omit<typeof deliveries.$inferSelect, "state"> & {
  readonly state: DeliveryState;
  readonly kind: NoticeKind;
};

/** The same with the notice itself. */
export interface DeliveryDetail extends DeliveryRow {
  readonly customer_id: string;
  /** Milliseconds. */
  readonly at: number;
  /** JSON. */
  readonly body: string;
}

const COLUMNS = {
  project_id: deliveries.project_id,
  id: deliveries.id,
  destination_id: deliveries.destination_id,
  notice_id: deliveries.notice_id,
  state: deliveries.state,
  attempts: deliveries.attempts,
  next_at: deliveries.next_at,
  last_status: deliveries.last_status,
  last_latency_ms: deliveries.last_latency_ms,
  last_error: deliveries.last_error,
  last_at: deliveries.last_at,
  created_at: deliveries.created_at,
  ended_at: deliveries.ended_at,
  kind: notices.kind,
};
const OF_NOTICE = and(eq(notices.project_id, deliveries.project_id), eq(notices.id, deliveries.notice_id));

/** A delivery that is about to be made. */
export interface NewDelivery {
  readonly id: string;
  readonly destination_id: string;
  readonly notice_id: string;
}

/** Makes deliveries, due at once; those that are there already stay as they are. */
export function insertDeliveries(
  db: D1Database,
  projectId: string,
  made: readonly NewDelivery[],
  now: number,
): D1PreparedStatement {
  // A millisecond apart, so that they have an order: that of their notices.
  const rows = made.map(({ id, destination_id, notice_id }, index) => [id, destination_id, notice_id, now + index]);
  return db
    .prepare(
      `INSERT INTO deliveries
         (project_id, id, destination_id, notice_id, state, attempts, next_at, wake_at, created_at)
       SELECT ?1, value ->> 0, value ->> 1, value ->> 2, 'waiting', 0, ?2, ?2, value ->> 3
       FROM json_each(?3) WHERE true ON CONFLICT DO NOTHING`,
    )
    .bind(projectId, now, JSON.stringify(rows));
}

/** A page of a project's deliveries, newest first. */
export async function listDeliveries(
  db: D1Database,
  projectId: string,
  page: {
    readonly destination_id: string | undefined;
    readonly state: DeliveryState | undefined;
    readonly before: AgeCursor | undefined;
    readonly limit: number;
  },
): Promise<readonly DeliveryRow[]> {
  const { destination_id, state, before, limit } = page;
  const rows = await drizzle(db)
    .select(COLUMNS)
    .from(deliveries)
    .innerJoin(notices, OF_NOTICE)
    .where(
      and(
        eq(deliveries.project_id, projectId),
        destination_id === undefined ? undefined : eq(deliveries.destination_id, destination_id),
        state === undefined ? undefined : eq(deliveries.state, state),
        olderThan(deliveries, before),
      ),
    )
    .orderBy(desc(deliveries.created_at), desc(deliveries.id))
    .limit(limit);
  return rows as DeliveryRow[];
}

/** One delivery, with its notice. */
export async function findDelivery(
  db: D1Database,
  { project_id, id }: { readonly project_id: string; readonly id: string },
): Promise<DeliveryDetail | undefined> {
  const row = await drizzle(db)
    .select({ ...COLUMNS, customer_id: notices.customer_id, at: notices.at, body: notices.body })
    .from(deliveries)
    .innerJoin(notices, OF_NOTICE)
    .where(and(eq(deliveries.project_id, project_id), eq(deliveries.id, id)))
    .get();
  return row as DeliveryDetail | undefined;
}

/** Makes a delivery wait for its first attempt again, whatever came of it. */
export async function renewDelivery(
  db: D1Database,
  { project_id, id }: { readonly project_id: string; readonly id: string },
  now: number,
): Promise<void> {
  await drizzle(db)
    .update(deliveries)
    .set({ state: "waiting", attempts: 0, next_at: now, wake_at: now, ended_at: null })
    .where(and(eq(deliveries.project_id, project_id), eq(deliveries.id, id)));
}

/**
 * Deliveries that should have been attempted long ago: their message is lost. Runs over all projects. Each is taken
 * again only when it is late for twice as long, so that a queue that is only slow does not fill up with messages. What
 * waits because its destination is left alone is late on purpose: it is looked at again after that.
 */
export async function takeStalled(
  db: D1Database,
  { before, now }: { readonly before: number; readonly now: number },
  limit: number,
): Promise<readonly DeliverMessage[]> {
  const { results } = await db
    .prepare(
      `UPDATE deliveries SET wake_at = MAX(2 * ?2 - next_at, COALESCE(${LEFT_ALONE_UNTIL}, 0))
       WHERE (project_id, id) IN (
         SELECT project_id, id FROM deliveries INDEXED BY deliveries_waiting
         WHERE state = 'waiting' AND wake_at < ?1 ORDER BY wake_at LIMIT ?3)
       RETURNING project_id, destination_id, id AS delivery_id, attempts, COALESCE(${LEFT_ALONE_UNTIL}, 0) AS asked_at`,
    )
    .bind(before, now, limit)
    .all<Omit<DeliverMessage, "kind"> & { readonly asked_at: number }>();
  return results
    .filter(({ asked_at }) => asked_at <= now)
    .map(({ project_id, destination_id, delivery_id, attempts }) => ({
      kind: "deliver",
      project_id,
      destination_id,
      delivery_id,
      attempts,
    }));
}

const LEFT_ALONE_UNTIL = `(
  SELECT d.next_at FROM destinations d WHERE d.project_id = deliveries.project_id AND d.id = deliveries.destination_id)`;

/** Forgets deliveries that ended before an instant. Runs over all projects, at most `limit` at a time. */
export async function deleteOldDeliveries(db: D1Database, before: number, limit: number): Promise<void> {
  await db
    .prepare(
      `DELETE FROM deliveries WHERE (project_id, id) IN (
         SELECT project_id, id FROM deliveries INDEXED BY deliveries_ended
         WHERE ended_at < ?1 ORDER BY ended_at LIMIT ?2)`,
    )
    .bind(before, limit)
    .run();
}
