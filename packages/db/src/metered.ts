import { METRIC_THRESHOLDS_MAX, type MeteredMetric, type Threshold } from "@tidemark/contract";
import type { CycleInterval } from "@tidemark/core/cycle";
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
export type ThresholdDefinition = Omit<Threshold, "id" | "version">;

/** Fields that definitions stored by earlier releases lack. */
const LATER_FIELDS = { segment: null, repeat: "per_cycle", hysteresis: 0 } as const;

/** Reads a definition as it is stored. */
export function readThreshold(definition: string): ThresholdDefinition {
  return { ...LATER_FIELDS, ...(fromExactJson(definition) as Omit<ThresholdDefinition, keyof typeof LATER_FIELDS>) };
}

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
  const [catalog, versions, thresholds, intervals] = await db.batch([
    db.prepare(SELECT_CATALOG_VERSION).bind(projectId),
    db.prepare(IN_FORCE).bind(projectId, ids, now, metricIds.length),
    db.prepare(THRESHOLDS).bind(projectId, ids, customer_id, thresholdsMax),
    db.prepare(INTERVALS).bind(projectId, ids, metricIds.length),
  ]);
  const [{ catalog_version } = { catalog_version: 0 }] = (catalog?.results ?? []) as { catalog_version: number }[];
  const byMetric = Map.groupBy((thresholds?.results ?? []) as ThresholdRow[], ({ metric_id }) => metric_id);
  const byId = new Map(((intervals?.results ?? []) as IntervalRow[]).map((row) => [row.id, toInterval(row)]));
  return ((versions?.results ?? []) as CatalogRow[]).map((row) => ({
    metric: toMetric(row),
    interval: byId.get(row.id) ?? { ...INTERVAL_DEFAULT, time_zone: "UTC" },
    thresholds: (byMetric.get(row.id) ?? []).map(toThreshold).toSorted(inCrossingOrder),
    catalog_version,
  }));
}

/** How long what customers without a cycle use is added up: the metric's interval, in the project's zone. */
const INTERVALS = `
  SELECT m.id, m.definition -> 'default_interval' AS interval, p.time_zone
  FROM metrics m JOIN projects p ON p.id = m.project_id
  WHERE m.project_id = ?1 AND m.id IN (SELECT value FROM json_each(?2))
  LIMIT ?3`;

interface IntervalRow {
  readonly id: string;
  readonly interval: string | null;
  readonly time_zone: string;
}

/** A metric that says nothing has 30 days. */
const INTERVAL_DEFAULT: CycleInterval = { count: 30, period: "days" };
function toInterval({ interval, time_zone }: Omit<IntervalRow, "id">): MeteredMetric["interval"] {
  return { ...(interval === null ? INTERVAL_DEFAULT : (JSON.parse(interval) as CycleInterval)), time_zone };
}

interface ThresholdRow {
  readonly id: string;
  readonly metric_id: string;
  readonly version: number;
  readonly definition: string;
}

function toThreshold({ id, version, definition }: ThresholdRow): Threshold {
  return { id, version, ...readThreshold(definition) };
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
