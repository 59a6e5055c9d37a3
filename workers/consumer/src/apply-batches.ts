import { type ApplyReply, meterName } from "@tidemark/contract";
import { readMetered } from "@tidemark/db/metered";
import type { CustomerBatch } from "./customer-batch.ts";
import type { ConsumerEnv } from "./env.ts";

/** Calls to meters under way at once. */
const CALLS_MAX = 64;

/** The next attempt reads the metrics again. */
const STALE = "The metrics changed while the events were on their way, and a recount began.";

/** How one customer's call ended. */
export type Applied =
  | { readonly batch: CustomerBatch; readonly reply: ApplyReply }
  | { readonly batch: CustomerBatch; readonly error: unknown };

/** Calls each customer's meter once. A call that fails says so; the others go on. */
export async function applyBatches(env: ConsumerEnv, batches: readonly CustomerBatch[]): Promise<readonly Applied[]> {
  const results: Applied[] = [];
  const queue = batches.values();
  const work = async (): Promise<void> => {
    for (const batch of queue) {
      try {
        const reply = await apply(env, batch);
        results.push(reply.stale ? { batch, error: STALE } : { batch, reply });
      } catch (error) {
        results.push({ batch, error });
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(CALLS_MAX, batches.length) }, work));
  return results;
}

/** Calls a meter, and once more with what it has to learn of its thresholds before it counts: none is crossed unseen. */
async function apply(env: ConsumerEnv, batch: CustomerBatch): Promise<ApplyReply> {
  const { projectId, customerId } = batch;
  const meter = env.METERS.get(env.METERS.idFromName(meterName(projectId, customerId)));
  const request = batch.toRequest();
  const reply = await meter.apply(request);
  if (reply.unlearned.length === 0) return reply;
  const about = { customer_id: customerId, now: Date.now() };
  const learns = await readMetered(env.DB, projectId, reply.unlearned, about);
  return meter.apply({ ...request, learns });
}
