import { meterName, type RecountScope } from "@tidemark/contract";
import type { ConsumerEnv } from "../env.ts";
import type { ArchivedBatch } from "./read-archived.ts";

/** Calls to meters under way at once. */
const CALLS_MAX = 32;

export interface Recounted {
  /** Events that the meters have not counted. */
  readonly uncounted: number;
  /** Customers whose meters have counted with the job's metrics from the first event. */
  readonly needless: readonly string[];
}

/** Enters archived events into the second books of their customers' meters. */
export async function recountBatches(
  env: ConsumerEnv,
  batches: readonly ArchivedBatch[],
  scope: RecountScope,
): Promise<Recounted> {
  let uncounted = 0;
  const needless: string[] = [];
  const queue = batches.values();
  const work = async (): Promise<void> => {
    for (const { batch, isRecent } of queue) {
      const meter = env.METERS.get(env.METERS.idFromName(meterName(batch.projectId, batch.customerId)));
      const trusts_archive = scope.trusts_archive && !isRecent;
      const reply = await meter.recount({ ...batch.toRecount(scope), trusts_archive });
      uncounted += reply.uncounted;
      if (reply.books === "needless") needless.push(batch.customerId);
    }
  };
  await Promise.all(Array.from({ length: Math.min(CALLS_MAX, batches.length) }, work));
  return { uncounted, needless };
}
