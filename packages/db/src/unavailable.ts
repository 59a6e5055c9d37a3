import type { Unavailable } from "@tidemark/contract";

/** Looked up by slug, old ones too, because that is what a decision names. */
const LIMITS = `
  SELECT COUNT(*) AS limits, COUNT(*) FILTER (WHERE d.unavailable = 'open') AS open
  FROM metric_slugs s
  JOIN definitions d ON d.project_id = s.project_id AND d.metric_id = s.metric_id
  WHERE s.project_id = ? AND s.slug = ? AND d.customer_id = ? AND d.ended_at IS NULL`;

/**
 * What to do about a customer's metric when the meter cannot be reached: `open` only if every limit of it
 * says so, and so `closed` when there is none. Without a query builder, because the write path carries it.
 */
export async function readUnavailable(
  db: D1Database,
  projectId: string,
  customerId: string,
  slug: string,
): Promise<Unavailable> {
  const row = await db
    .prepare(LIMITS)
    .bind(projectId, slug, customerId)
    .first<{ readonly limits: number; readonly open: number }>();
  return row !== null && row.limits > 0 && row.open === row.limits ? "open" : "closed";
}
