import { METRIC_THRESHOLDS_MAX, type MeteredMetric, type Threshold } from "@tidemark/contract";
import { fromExactJson } from "@tidemark/core/exact-json";
import { type CatalogRow, SELECT_CATALOG_VERSION, SELECT_VERSIONS, toMetric } from "./catalog.ts";

/** Of each metric the version that counts what happens now. */
const IN_FORCE = `${SELECT_VERSIONS}
  WHERE m.project_id = ?1 AND m.deleted_at IS NULL AND m.id IN (SELECT value FROM json_each(?2))
    AND v.version = (
      SELECT MAX(version) FROM metric_versions
      WHERE project_id = m.project_id AND metric_id = m.id AND (counts_from IS NULL OR counts_from <= ?3))
  ORDER BY m.id
  LIMIT ?4`;

const THRESHOLDS = `
  SELECT id, metric_id, version, definition FROM thresholds
  WHERE project_id = ?1 AND metric_id IN (SELECT value FROM json_each(?2)) AND (customer_id IS NULL OR customer_id = ?3)
  ORDER BY metric_id, id
  LIMIT ?4`;

/** What of a threshold is stored as its definition. */
export type ThresholdDefinition = Pick<Threshold, "name" | "operator" | "line">;

/**
 * Metrics as a customer's meter has to know them: the version in force, the thresholds of all customers
 * and those of this one, and of which catalog this is, read together. Metrics that are gone are left out.
 *
 * @param about whose thresholds besides, `null` for nobody's; and when, in milliseconds.
 */
export async function readMetered(
  db: D1Database,
  projectId: string,
  metricIds: readonly string[],
  about: { readonly customer_id: string | null; readonly now: number },
): Promise<readonly MeteredMetric[]> {
  const ids = JSON.stringify(metricIds);
  const { customer_id, now } = about;
  // For all customers and for one there are as many each.
  const thresholdsMax = metricIds.length * 2 * METRIC_THRESHOLDS_MAX;
  const [catalog, versions, thresholds] = await db.batch([
    db.prepare(SELECT_CATALOG_VERSION).bind(projectId),
    db.prepare(IN_FORCE).bind(projectId, ids, now, metricIds.length),
    db.prepare(THRESHOLDS).bind(projectId, ids, customer_id, thresholdsMax),
  ]);
  const [{ catalog_version } = { catalog_version: 0 }] = (catalog?.results ?? []) as { catalog_version: number }[];
  const byMetric = Map.groupBy((thresholds?.results ?? []) as ThresholdRow[], ({ metric_id }) => metric_id);
  return ((versions?.results ?? []) as CatalogRow[]).map((row) => ({
    metric: toMetric(row),
    thresholds: (byMetric.get(row.id) ?? []).map(toThreshold).toSorted(inCrossingOrder),
    catalog_version,
  }));
}

interface ThresholdRow {
  readonly id: string;
  readonly metric_id: string;
  readonly version: number;
  readonly definition: string;
}

function toThreshold({ id, version, definition }: ThresholdRow): Threshold {
  return { id, version, ...(fromExactJson(definition) as ThresholdDefinition) };
}

/** Those that one leap of usage crosses are told in the order in which small steps would cross them. */
function inCrossingOrder(a: Threshold, b: Threshold): number {
  const [at, other] = [lineOf(a), lineOf(b)];
  if (a.operator !== b.operator || at === other) return 0;
  return at < other === (a.operator === ">=") ? -1 : 1;
}

function lineOf({ line }: Threshold): number | bigint {
  return "units" in line ? line.units : line.percent;
}
