import { type JobProgress, meterName } from "@tidemark/contract";
import { listJobCustomers, markBooks } from "@tidemark/db/job-customers";
import type { Job } from "@tidemark/db/jobs";
import { insertWatches, type Watch } from "@tidemark/db/watches";
import type { ConsumerEnv } from "../env.ts";
import type { Step } from "./run-job.ts";
import { thoseThatWorked } from "./those-that-worked.ts";

/** Meters closed in one step. */
const METERS_PER_STEP = 20;

/**
 * Closes the next few meters' second books: a backfill or a rebuild puts them in the place of the meter's,
 * a verification throws them away. Closing again changes nothing.
 *
 * @returns `null` when all are closed.
 */
export async function closeBooks(env: ConsumerEnv, job: Job, progress: JobProgress): Promise<Step | null> {
  const compared = await listJobCustomers(env.DB, job, "compared", METERS_PER_STEP);
  if (compared.length === 0) return null;
  const { customers, results } = await thoseThatWorked(compared, async (customer_id) => {
    const address = { project_id: job.project_id, customer_id };
    const meter = env.METERS.get(env.METERS.idFromName(meterName(address.project_id, customer_id)));
    const watch = await meter.closeBooks(address, job.id, job.kind !== "verify");
    return watch === null ? [] : [{ customer_id, ...watch }];
  });
  return {
    progress,
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
