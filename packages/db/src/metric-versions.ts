import { METRIC_VERSIONS_MAX } from "@tidemark/contract";

/** What a metric counted, from when on: see `schema.ts`. */
export interface MetricVersionRow {
  readonly metric_id: string;
  readonly version: number;
  /** Under what this version's usage is kept. */
  readonly counter_id: string;
  readonly effective_from: number;
  /** `null`: however long ago. */
  readonly counts_from: number | null;
  /** `null`: however long ago. */
  readonly shown_from: number | null;
  /** A `MetricInput` with its slug, as JSON. */
  readonly definition: string;
  readonly created_at: number;
}

/** The ids are one list, so that the metrics of a whole project need one bound value. */
const VERSIONS = `
  SELECT metric_id, version, counter_id, effective_from, counts_from, shown_from, definition, created_at
  FROM metric_versions
  WHERE project_id = ? AND metric_id IN (SELECT value FROM json_each(?))
  ORDER BY metric_id, version
  LIMIT ?`;

/** Every version of some metrics, by metric and then oldest first. */
export async function readVersions(
  db: D1Database,
  projectId: string,
  metricIds: readonly string[],
): Promise<readonly MetricVersionRow[]> {
  if (metricIds.length === 0) return [];
  const { results } = await db
    .prepare(VERSIONS)
    .bind(projectId, JSON.stringify(metricIds), metricIds.length * METRIC_VERSIONS_MAX)
    .all<MetricVersionRow>();
  return results;
}
