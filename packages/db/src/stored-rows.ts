import type { UsageDay } from "@tidemark/core";
import { overflowsInt64 } from "@tidemark/core/day-overflow";

/** A row of `usage_days` without its customer: JSON columns as text, the value as text. */
export interface StoredRow {
  readonly metric_id: string;
  readonly day: number;
  readonly version: number;
  readonly value: string;
  readonly events: number;
  readonly rejected: number;
  readonly last_at: number;
  readonly groups: string;
  readonly ids: string | null;
  readonly rejections: string | null;
  readonly overflow: number;
}

/** A day as its row: always the same bytes for the same day. */
export function toStoredRow(day: UsageDay): StoredRow {
  const { metric_id, version, events, rejected, last_at, groups, ids, rejections = [] } = day;
  const overflow = overflowsInt64(day);
  return {
    metric_id,
    day: day.day,
    version,
    value: overflow ? "0" : day.value,
    events,
    rejected,
    last_at,
    groups: JSON.stringify(groups),
    ids: ids === undefined ? null : JSON.stringify(ids),
    rejections: rejections.length === 0 ? null : JSON.stringify(rejections),
    overflow: overflow ? 1 : 0,
  };
}

const ROWS = `
  SELECT u.metric_id, u.day, u.version, CAST(u.value AS TEXT) AS value, u.events, u.rejected, u.last_at, u.groups, u.ids,
    u.rejections, u.overflow
  FROM json_each(?) AS wanted
  CROSS JOIN usage_days AS u
    ON u.project_id = ? AND u.metric_id = wanted.value ->> 0 AND u.day = wanted.value ->> 1 AND u.customer_id = ?`;

/** One customer's rows of some days. */
export async function readStoredRows(
  db: D1Database,
  { project_id, customer_id }: { readonly project_id: string; readonly customer_id: string },
  days: readonly Pick<StoredRow, "metric_id" | "day">[],
): Promise<readonly StoredRow[]> {
  const wanted = JSON.stringify(days.map(({ metric_id, day }) => [metric_id, day]));
  const { results } = await db.prepare(ROWS).bind(wanted, project_id, customer_id).all<StoredRow>();
  return results;
}

/** Deletes a customer's rows of some days, so that what the meter sends again takes their place. */
export function deleteStoredRows(
  db: D1Database,
  { project_id, customer_id }: { readonly project_id: string; readonly customer_id: string },
  days: readonly Pick<StoredRow, "metric_id" | "day">[],
): D1PreparedStatement {
  return db
    .prepare(
      `DELETE FROM usage_days
       WHERE project_id = ? AND customer_id = ?
         AND (metric_id, day) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))`,
    )
    .bind(project_id, customer_id, JSON.stringify(days.map(({ metric_id, day }) => [metric_id, day])));
}
