import { readMetered } from "@tidemark/db/metered";
import type { StoredThreshold } from "@tidemark/db/thresholds";
import type { QueryEnv } from "../../env.ts";
import { askMeter } from "../../read-meter.ts";

/**
 * Tells a customer's meter that a threshold of this customer alone has changed. One that does not answer asks by
 * itself when it next meets the catalog's new version, as all meters do when a threshold is of all customers.
 */
export async function tellMeter(
  env: QueryEnv,
  { project_id, customer_id, metric_id }: Pick<StoredThreshold, "project_id" | "customer_id" | "metric_id">,
): Promise<void> {
  if (customer_id === null) return;
  const metered = await readMetered(env.DB, project_id, [metric_id], { customer_id, now: Date.now() });
  const [told] = metered;
  if (told === undefined) return;
  const address = { project_id, customer_id };
  await askMeter(env, address, async (meter): Promise<void> =>
    meter.learn(address, metered, [metric_id], told.catalog_version),
  );
}
