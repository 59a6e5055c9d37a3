import { and, asc, eq, gt, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { prepare } from "./prepare.ts";
import { metrics } from "./schema.ts";

export type MetricRow = typeof metrics.$inferSelect;

const COLUMNS = {
  project_id: metrics.project_id,
  id: metrics.id,
  slug: metrics.slug,
  version: metrics.version,
  definition: metrics.definition,
  created_at: metrics.created_at,
  updated_at: metrics.updated_at,
};

/** What became of a new metric. */
export type InsertMetricOutcome = "inserted" | "slug_taken" | "too_many";

/**
 * Stores a metric and tells the consumers, by the project's catalog version, to read the metrics again:
 * both or neither. The cap is part of the statement, so that two requests cannot pass it together.
 */
export async function insertMetric(
  db: D1Database,
  metric: MetricRow,
  metricsMax: number,
): Promise<InsertMetricOutcome> {
  const { project_id, id, slug, version, definition, created_at, updated_at } = metric;
  const insert = sql`
    INSERT INTO metrics (project_id, id, slug, version, definition, created_at, updated_at)
    SELECT ${project_id}, ${id}, ${slug}, ${version}, ${definition}, ${created_at}, ${updated_at}
    WHERE (SELECT COUNT(*) FROM metrics WHERE project_id = ${project_id}) < ${metricsMax}
    RETURNING id`;
  const announce = sql`UPDATE projects SET catalog_version = catalog_version + 1 WHERE id = ${project_id}`;
  try {
    const [inserted] = await db.batch([prepare(db, insert), prepare(db, announce)]);
    return inserted?.results.length === 1 ? "inserted" : "too_many";
  } catch (error) {
    if (isUniqueViolation(error)) return "slug_taken";
    throw error;
  }
}

/** A page of a project's metrics, by slug. */
export async function listMetrics(
  db: D1Database,
  projectId: string,
  page: { readonly after: string | undefined; readonly limit: number },
): Promise<MetricRow[]> {
  const { after, limit } = page;
  return drizzle(db)
    .select(COLUMNS)
    .from(metrics)
    .where(and(eq(metrics.project_id, projectId), after === undefined ? undefined : gt(metrics.slug, after)))
    .orderBy(asc(metrics.slug))
    .limit(limit);
}

/** The metric with a slug. */
export async function findMetric(db: D1Database, projectId: string, slug: string): Promise<MetricRow | undefined> {
  return drizzle(db)
    .select(COLUMNS)
    .from(metrics)
    .where(and(eq(metrics.project_id, projectId), eq(metrics.slug, slug)))
    .get();
}

/** D1 wraps what SQLite says. */
function isUniqueViolation(error: unknown): boolean {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if (at.message.includes("UNIQUE constraint failed")) return true;
  }
  return false;
}
