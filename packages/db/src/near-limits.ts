import type { NearLimitsMessage } from "@tidemark/contract";

/** Keeps who came near a limit. */
export function insertNearLimits(
  db: D1Database,
  { project_id, customer_id, balances }: NearLimitsMessage,
): D1PreparedStatement {
  const rows = balances.map(({ metric_id, balance, at, cycle_end }) => [metric_id, balance, at, cycle_end]);
  return db
    .prepare(
      `INSERT INTO near_limits (project_id, metric_id, customer_id, balance, at, cycle_end)
       SELECT ?1, value ->> 0, ?2, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?3) WHERE true
       ON CONFLICT DO UPDATE SET at = excluded.at, cycle_end = excluded.cycle_end WHERE excluded.at > near_limits.at`,
    )
    .bind(project_id, customer_id, JSON.stringify(rows));
}

/** Customers who came near a limit of a metric in a cycle that goes on, latest first. */
export async function listNearLimits(
  db: D1Database,
  { project_id, metric_id }: { readonly project_id: string; readonly metric_id: string },
  page: { readonly now: number; readonly limit: number },
): Promise<readonly string[]> {
  const { results } = await db
    .prepare(
      `SELECT customer_id, MAX(at) AS at FROM near_limits
       WHERE project_id = ?1 AND metric_id = ?2 AND cycle_end > ?3
       GROUP BY customer_id ORDER BY at DESC, customer_id LIMIT ?4`,
    )
    .bind(project_id, metric_id, page.now, page.limit)
    .all<{ readonly customer_id: string }>();
  return results.map(({ customer_id }) => customer_id);
}
