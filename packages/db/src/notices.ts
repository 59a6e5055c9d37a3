import type { Notice, NotifyMessage } from "@tidemark/contract";

/** Something that people should hear of, with whose it is. */
export interface NoticeRow extends Notice {
  readonly customer_id: string;
}

/** Keeps what a customer's meter tells; what is there already stays as it is. */
export function insertNotices(
  db: D1Database,
  projectId: string,
  customerId: string,
  notices: readonly Notice[],
): D1PreparedStatement {
  const rows = notices.map(({ id, kind, metric_id, at, body }) => [id, kind, metric_id, at, body]);
  return db
    .prepare(
      `INSERT INTO notices (project_id, id, kind, customer_id, metric_id, at, body)
       SELECT ?1, value ->> 0, value ->> 1, ?2, value ->> 2, value ->> 3, value ->> 4
       FROM json_each(?3) WHERE true ON CONFLICT DO NOTHING`,
    )
    .bind(projectId, customerId, JSON.stringify(rows));
}

/** Keeps the notice of a test. @returns (of the statement) a change, unless there is one with this id. */
export function insertTest(
  db: D1Database,
  { project_id, destination_id }: { readonly project_id: string; readonly destination_id: string },
  { id, at, body }: Pick<Notice, "id" | "at" | "body">,
): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO notices (project_id, id, kind, customer_id, metric_id, at, body, destination_id)
       VALUES (?, ?, 'webhook_test', '', '', ?, ?, ?) ON CONFLICT DO NOTHING`,
    )
    .bind(project_id, id, at, body, destination_id);
}

const LIST = `
  SELECT id, kind, customer_id, metric_id, at, body FROM notices
  WHERE project_id = ?1 AND (?2 IS NULL OR (at, id) < (?2, ?3))
  ORDER BY at DESC, id DESC
  LIMIT ?4`;

/** A page of a project's notices, newest first. */
export async function listNotices(
  db: D1Database,
  projectId: string,
  page: { readonly before: { readonly at: number; readonly id: string } | undefined; readonly limit: number },
): Promise<readonly NoticeRow[]> {
  const { before, limit } = page;
  const { results } = await db
    .prepare(LIST)
    .bind(projectId, before?.at ?? null, before?.id ?? null, limit)
    .all<NoticeRow>();
  return results;
}

/** A destination that wants a notice. */
export interface Wanted {
  readonly notice_id: string;
  readonly destination_id: string;
  readonly kind: "webhook" | "slack";
}

/** Of `d`, whether it wants `n`: what is for it alone in any case, and else what was told since it was enabled. */
const WANTS = `
  d.disabled_at IS NULL AND CASE
    WHEN n.destination_id IS NOT NULL THEN n.destination_id = d.id
    ELSE d.enabled_at <= n.at
      AND (d.wants IS NULL OR EXISTS (SELECT 1 FROM json_each(d.wants) w WHERE w.value = n.kind)) END`;

/**
 * Who wants some notices, in their order. A destination hears of what is for it alone, whatever else it wants. What is
 * older than `since` is told to nobody: its deliveries may be forgotten, and it would be told twice.
 */
export async function listWanted(
  db: D1Database,
  { project_id, notice_ids }: Pick<NotifyMessage, "project_id" | "notice_ids">,
  since: number,
): Promise<readonly Wanted[]> {
  const { results } = await db
    .prepare(
      `SELECT n.id AS notice_id, d.id AS destination_id, d.kind
       FROM json_each(?2) i
       CROSS JOIN notices n ON n.project_id = ?1 AND n.id = i.value AND n.at >= ?3
       CROSS JOIN destinations d ON d.project_id = ?1 AND ${WANTS}
       ORDER BY i.key, d.id`,
    )
    .bind(project_id, JSON.stringify(notice_ids), since)
    .all<Wanted>();
  return results;
}

/**
 * Notices of a span of time that a destination wants and that nobody made a delivery of: whoever should have was cut
 * off, and so made none at all. Runs over all projects that have a destination; looks up each recent notice once, and
 * the destinations of those alone that have no delivery.
 */
export async function listForgotten(
  db: D1Database,
  span: { readonly from: number; readonly to: number },
  limit: number,
): Promise<readonly { readonly project_id: string; readonly id: string }[]> {
  const { results } = await db
    .prepare(
      `SELECT n.project_id, n.id
       FROM (SELECT DISTINCT project_id FROM destinations) p
       CROSS JOIN notices n ON n.project_id = p.project_id AND n.at >= ?1 AND n.at < ?2
       WHERE NOT EXISTS (${DELIVERY})
         AND EXISTS (SELECT 1 FROM destinations d WHERE d.project_id = n.project_id AND d.updated_at <= n.at AND ${WANTS})
       LIMIT ?3`,
    )
    .bind(span.from, span.to, limit)
    .all<{ readonly project_id: string; readonly id: string }>();
  return results;
}

/** Of `n`. */
const DELIVERY = "SELECT 1 FROM deliveries v WHERE v.project_id = n.project_id AND v.notice_id = n.id";

/** Forgets notices from before an instant, once none of their deliveries is left. At most `limit` at a time. */
export async function deleteOldNotices(db: D1Database, before: number, limit: number): Promise<void> {
  await db
    .prepare(
      `DELETE FROM notices WHERE (project_id, id) IN (
         SELECT n.project_id, n.id FROM projects p CROSS JOIN notices n ON n.project_id = p.id AND n.at < ?1
         WHERE NOT EXISTS (${DELIVERY}) LIMIT ?2)`,
    )
    .bind(before, limit)
    .run();
}
