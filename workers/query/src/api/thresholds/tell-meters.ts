import { THRESHOLD_TOLD_MAX } from "@tidemark/contract/query-limits";
import { listSubjects } from "@tidemark/db/definitions";
import { readMetered } from "@tidemark/db/metered";
import type { StoredThreshold } from "@tidemark/db/thresholds";
import type { QueryEnv } from "../../env.ts";
import { askMeter } from "../../read-meter.ts";

/** Calls to meters under way at once. */
const CALLS_MAX = 32;

/** Whoever draws a line waits this long at most. */
const TELLING_MS_MAX = 10_000;

type Changed = Pick<StoredThreshold, "project_id" | "customer_id" | "metric_id">;

/**
 * Tells the meters that a threshold has changed: its customer's, or those of all customers who have an allowance of
 * the metric, up to `THRESHOLD_TOLD_MAX`, so that it holds when the answer is there. All others learn of it before they
 * next count an event, or soon after a decision, by the catalog's version; so does one that does not answer.
 */
export async function tellMeters(env: QueryEnv, changed: Changed): Promise<void> {
  try {
    await tellAll(env, changed);
  } catch (error) {
    // The threshold is stored, and a request that is sent again would make another.
    console.warn(JSON.stringify({ at: "tell-meters", project_id: changed.project_id, error: String(error) }));
  }
}

async function tellAll(env: QueryEnv, { project_id, customer_id, metric_id }: Changed): Promise<void> {
  if (customer_id !== null) return tell(env, { project_id, customer_id, metric_id });
  const until = Date.now() + TELLING_MS_MAX;
  const customers = await listSubjects(env.DB, { project_id, metric_id }, THRESHOLD_TOLD_MAX);
  const queue = customers.values();
  const work = async (): Promise<void> => {
    for (const id of queue) {
      if (Date.now() > until) return;
      await tell(env, { project_id, customer_id: id, metric_id });
    }
  };
  await Promise.all(Array.from({ length: Math.min(CALLS_MAX, customers.length) }, work));
}

async function tell(env: QueryEnv, { project_id, customer_id, metric_id }: Changed & { customer_id: string }) {
  const metered = await readMetered(env.DB, project_id, [metric_id], { customer_id, now: Date.now() });
  const [told] = metered;
  if (told === undefined) return;
  const address = { project_id, customer_id };
  await askMeter(env, address, async (meter): Promise<void> =>
    meter.learn(address, metered, [metric_id], told.catalog_version),
  );
}
