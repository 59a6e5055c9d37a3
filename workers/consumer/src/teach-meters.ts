import { meterName } from "@tidemark/contract";
import { readMetered } from "@tidemark/db/metered";
import type { Applied } from "./apply-batches.ts";
import type { ConsumerEnv } from "./env.ts";

/**
 * Tells meters that know less of their metrics than the consumer how these are defined now. What they had to do
 * is done, and they ask again with the next call: a failure is only logged.
 */
export async function teachMeters(env: ConsumerEnv, projectId: string, applied: readonly Applied[]): Promise<void> {
  for (const result of applied) {
    if ("error" in result || result.reply.wants_metrics.length === 0) continue;
    const { batch, reply } = result;
    const { wants_metrics } = reply;
    const { customerId } = batch;
    try {
      const about = { customer_id: customerId, now: Date.now() };
      const metered = await readMetered(env.DB, projectId, wants_metrics, about);
      const meter = env.METERS.get(env.METERS.idFromName(meterName(projectId, customerId)));
      await meter.learn(
        { project_id: projectId, customer_id: customerId },
        metered,
        wants_metrics,
        batch.catalogVersion,
      );
    } catch (error) {
      console.error(JSON.stringify({ at: "teach-meters", project_id: projectId, error: String(error) }));
    }
  }
}
