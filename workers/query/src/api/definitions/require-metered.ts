import type { MeterAddress, MeteredMetric } from "@tidemark/contract";
import { readMetered } from "@tidemark/db/metered";
import { Problem } from "@tidemark/http/problem";

/** A metric as a customer's meter has to know it. @throws Problem conflict when it was deleted meanwhile. */
export async function requireMetered(
  db: D1Database,
  { project_id, customer_id }: MeterAddress,
  metricId: string,
): Promise<MeteredMetric> {
  const [metered] = await readMetered(db, project_id, [metricId], { customer_id, now: Date.now() });
  if (metered === undefined) throw new Problem("conflict", "The metric was deleted meanwhile; choose another.");
  return metered;
}
