import { meterName } from "@tidemark/contract";
import { deleteWatches, listDue, type Overdue } from "@tidemark/db/watches";
import type { ConsumerEnv } from "./env.ts";

/** An alarm, the rollup queue and D1 have this long before anybody asks. */
const GRACE_MS = 2 * 60_000;
/** Rows looked at together, and how often in one run: fifty batches of events a second. */
const ROWS_MAX = 500;
const ROUNDS_MAX = 30;

/** What a sweep did. */
export interface Swept {
  /** Rows looked at. */
  readonly looked: number;
  /** Meters asked to flush. */
  readonly woken: number;
}

/**
 * Finds meters whose alarm died: those whose promised rows are not in D1 long after they were due. Each
 * is asked to flush now. The list has one row per batch of events, so that looking costs next to nothing.
 */
export async function sweep(env: ConsumerEnv, now: number): Promise<Swept> {
  let looked = 0;
  let woken = 0;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const { rows, overdue } = await listDue(env.DB, now - GRACE_MS, ROWS_MAX);
    const failed = await wake(env, overdue);
    // A row stays on the list until every one of its meters has answered.
    const done = rows.filter((row) => !failed.has(row.id));
    if (done.length > 0) await deleteWatches(env.DB, done);
    looked += rows.length;
    woken += overdue.length;
    if (rows.length < ROWS_MAX || done.length === 0) break;
  }
  return { looked, woken };
}

/** @returns the ids of the rows that named a meter which did not answer. */
async function wake(env: ConsumerEnv, overdue: readonly Overdue[]): Promise<ReadonlySet<string>> {
  const failed = new Set<string>();
  await Promise.all(
    overdue.map(async ({ id, project_id, customer_id }) => {
      try {
        const meter = env.METERS.get(env.METERS.idFromName(meterName(project_id, customer_id)));
        await meter.flush({ project_id, customer_id });
      } catch (error) {
        console.error(JSON.stringify({ at: "sweep", project_id, error: String(error) }));
        failed.add(id);
      }
    }),
  );
  return failed;
}
