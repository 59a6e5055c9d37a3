import { type ApplyReply, meterName } from "@tidemark/contract";
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
        const meter = env.METERS.get(env.METERS.idFromName(meterName(batch.projectId, batch.customerId)));
        const reply = await meter.apply(batch.toRequest());
        results.push(reply.stale ? { batch, error: STALE } : { batch, reply });
      } catch (error) {
        results.push({ batch, error });
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(CALLS_MAX, batches.length) }, work));
  return results;
}
