import { meterName } from "@tidemark/contract";
import { deleteWatches, listDueWatches, listOverdue } from "@tidemark/db/watches";
import type { ConsumerEnv } from "./env.ts";

/** An alarm, the rollup queue and D1 have this long before anybody asks. */
const GRACE_MS = 2 * 60_000;
/** Rows looked at in one run; the rest waits for the next. */
const ROWS_MAX = 200;

/**
 * Finds meters whose alarm died: those whose promised rows are not in D1 long after they were due. Each
 * is asked to flush now. The list has one row per batch of events, so that looking costs next to nothing.
 */
export async function sweep(
  env: ConsumerEnv,
  now: number,
): Promise<{ readonly looked: number; readonly woken: number }> {
  const rows = await listDueWatches(env.DB, now - GRACE_MS, ROWS_MAX);
  let woken = 0;
  for (const row of rows) {
    const overdue = await listOverdue(env.DB, row);
    const results = await Promise.allSettled(
      [...new Set(overdue.map((watch) => watch.customer_id))].map((customer_id) =>
        env.METERS.get(env.METERS.idFromName(meterName(row.project_id, customer_id))).flush({
          project_id: row.project_id,
          customer_id,
        }),
      ),
    );
    woken += results.length;
    // A row stays on the list until every one of its meters has answered.
    if (results.every((result) => result.status === "fulfilled")) await deleteWatches(env.DB, row);
  }
  return { looked: rows.length, woken };
}
