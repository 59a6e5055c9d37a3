import type { Notice } from "@tidemark/contract";

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
