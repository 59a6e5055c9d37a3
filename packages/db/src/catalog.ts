import { MEMORY_DAYS, METRIC_VERSIONS_MAX, THRESHOLDS_MAX } from "@tidemark/contract";
import type { Metric } from "@tidemark/core";

/** The version of a project's catalog. One row read. */
export const SELECT_CATALOG_VERSION = "SELECT catalog_version FROM projects WHERE id = ?";

/** How far the clocks of the Worker that makes a metric and of those that receive events may be apart. */
const CLOCKS_APART_MS = 1_000;

/**
 * Versions of metrics, with where the next one takes over. What people choose to see of events is no rule
 * of counting: every version shows what the metric does now.
 */
export const SELECT_VERSIONS = `
  SELECT m.id, m.slug, v.version, v.counter_id, CASE v.version WHEN 1 THEN v.created_at - ${CLOCKS_APART_MS} END AS received_from,
    v.counts_from, next.counts_from AS counts_until, v.backfilled, v.definition,
    m.definition -> 'exposed_event_keys' AS exposed_event_keys
  FROM metrics m
  JOIN metric_versions v ON v.project_id = m.project_id AND v.metric_id = m.id
  LEFT JOIN metric_versions next
    ON next.project_id = v.project_id AND next.metric_id = v.metric_id AND next.version = v.version + 1`;

const METRICS = `${SELECT_VERSIONS}
  WHERE m.project_id = ? AND m.deleted_at IS NULL AND (next.version IS NULL OR next.counts_from >= ?)
  ORDER BY m.id, v.version
  LIMIT ?`;

/** How long after its successor a version can still count an event: what is older is forgotten, and never counted. */
const STILL_COUNTS_MS = MEMORY_DAYS * 86_400_000;

/** The version of a project's metrics, or `undefined` when there is no such project. One row read. */
export async function readCatalogVersion(db: D1Database, projectId: string): Promise<number | undefined> {
  return (await db.prepare(SELECT_CATALOG_VERSION).bind(projectId).first<number>("catalog_version")) ?? undefined;
}

/**
 * Every version of a project's metrics that can still count an event, with the version of the catalog
 * they belong to, read together.
 *
 * @param limit of metrics.
 * @param now in milliseconds.
 */
export async function readCatalog(
  db: D1Database,
  projectId: string,
  limit: number,
  now: number,
): Promise<{ readonly version: number; readonly metrics: readonly Metric[]; readonly watched: WatchedMetrics }> {
  const [versions, rows, thresholds] = await db.batch([
    db.prepare(SELECT_CATALOG_VERSION).bind(projectId),
    db.prepare(METRICS).bind(projectId, now - STILL_COUNTS_MS, limit * METRIC_VERSIONS_MAX),
    db.prepare(WATCHED).bind(projectId, THRESHOLDS_MAX),
  ]);
  const [version] = (versions?.results ?? []) as { catalog_version: number }[];
  return {
    version: version?.catalog_version ?? 0,
    metrics: ((rows?.results ?? []) as CatalogRow[]).map(toMetric),
    watched: toWatched((thresholds?.results ?? []) as WatchedRow[]),
  };
}

/** By metric whose usage thresholds look at: certain customers', or with `null` everybody's. */
export type WatchedMetrics = ReadonlyMap<string, ReadonlySet<string> | null>;

const WATCHED = "SELECT DISTINCT metric_id, customer_id FROM thresholds WHERE project_id = ? LIMIT ?";

interface WatchedRow {
  readonly metric_id: string;
  readonly customer_id: string | null;
}

function toWatched(rows: readonly WatchedRow[]): WatchedMetrics {
  const watched = new Map<string, Set<string> | null>();
  for (const { metric_id, customer_id } of rows) {
    const known = watched.get(metric_id);
    if (customer_id === null || known === null) watched.set(metric_id, null);
    else watched.set(metric_id, new Set([...(known ?? []), customer_id]));
  }
  return watched;
}

type Place = Pick<Metric, "id" | "slug" | "version" | "counter_id" | "received_from" | "counts_from" | "counts_until">;

/** A row of `SELECT_VERSIONS`. */
export interface CatalogRow extends Place {
  readonly backfilled: string;
  readonly definition: string;
  readonly exposed_event_keys: string | null;
}

/** Fields that definitions stored by earlier releases may lack. */
const LATER_FIELDS = { filters: null, distinct_by: null, segments: [] };

/** What of a definition is no rule of counting, but one of charging. */
interface ChargingRules {
  readonly allow_negative: boolean;
}

/** A version of a metric, ready to be compiled. */
export function toMetric({ definition, backfilled, exposed_event_keys, ...place }: CatalogRow): Metric & ChargingRules {
  const rules = JSON.parse(definition) as Omit<Metric & ChargingRules, keyof Place | keyof typeof LATER_FIELDS>;
  return {
    ...LATER_FIELDS,
    ...rules,
    exposed_event_keys: JSON.parse(exposed_event_keys ?? "[]") as readonly string[],
    backfilled: JSON.parse(backfilled) as Metric["backfilled"],
    ...place,
  };
}
