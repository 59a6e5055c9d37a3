import { type JobProgress, meterName } from "@tidemark/contract";
import { listJobCustomers, markBooks } from "@tidemark/db/job-customers";
import type { Job } from "@tidemark/db/jobs";
import { insertWatches, type Watch } from "@tidemark/db/watches";
import type { ConsumerEnv } from "../env.ts";
import { PASSES_MAX } from "./count-archive.ts";
import type { Step } from "./run-job.ts";
import { thoseThatWorked } from "./those-that-worked.ts";

/** Meters closed in one step. */
const METERS_PER_STEP = 20;

/**
 * Closes the next few meters' second books: a backfill or a rebuild puts them in the place of the meter's,
 * a verification, and a job that failed, throws them away. Closing again changes nothing.
 *
 * @returns `null` when all are closed.
 */
export async function closeBooks(env: ConsumerEnv, job: Job, progress: JobProgress): Promise<Step | null> {
  const states = progress.is_abandoned ? (["open", "compared"] as const) : (["compared"] as const);
  const waiting = await listJobCustomers(env.DB, job, { states, after: progress.cursor, limit: METERS_PER_STEP });
  // Those that failed are met again from the beginning.
  if (waiting.length === 0) return progress.cursor === null ? null : { progress: { ...progress, cursor: null } };
  const { items, results } = await thoseThatWorked(waiting, async ({ customer_id, pass }) => {
    const address = { project_id: job.project_id, customer_id };
    const meter = env.METERS.get(env.METERS.idFromName(meterName(address.project_id, customer_id)));
    const replaces = job.kind !== "verify" && !progress.is_abandoned && pass < PASSES_MAX;
    const watch = await meter.closeBooks(address, job.id, replaces);
    return watch === null ? [] : [{ customer_id, ...watch }];
  });
  const customers = items.map(({ customer_id }) => customer_id);
  return {
    progress: { ...progress, cursor: waiting.at(-1)?.customer_id ?? null },
    writes: [markBooks(env.DB, job, customers, "closed"), ...toWatches(env.DB, job, results.flat())],
  };
}

/** The sweeper looks whether what was put right has reached the database. */
function toWatches(
  db: D1Database,
  { project_id, id }: Job,
  watches: readonly (Watch & { readonly due_at: number })[],
): readonly D1PreparedStatement[] {
  const [first] = watches;
  if (first === undefined) return [];
  const due_at = Math.max(...watches.map((watch) => watch.due_at));
  return [insertWatches(db, { due_at, id: `${id} ${first.customer_id}`, project_id, watches })];
}
