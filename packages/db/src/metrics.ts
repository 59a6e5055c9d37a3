import { and, asc, eq, gt, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { metrics, projects } from "./schema.ts";

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
export async function insertMetric(db: D1Database, metric: MetricRow, metricsMax: number): Promise<InsertMetricOutcome> {
  const orm = drizzle(db);
  const values = sql`SELECT ${metric.project_id}, ${metric.id}, ${metric.slug}, ${metric.version}, ${metric.definition}, ${metric.created_at}, ${metric.updated_at}
    WHERE (SELECT COUNT(*) FROM metrics WHERE project_id = ${metric.project_id}) < ${metricsMax}`;
  try {
    const [inserted] = await orm.batch([
      orm.all<{ id: string }>(
        sql`INSERT INTO metrics (project_id, id, slug, version, definition, created_at, updated_at) ${values} RETURNING id`,
      ),
      orm
        .update(projects)
        .set({ catalog_version: sql`${projects.catalog_version} + 1` })
        .where(eq(projects.id, metric.project_id)),
    ]);
    return inserted.length > 0 ? "inserted" : "too_many";
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

/** drizzle wraps what D1 says, and D1 wraps what SQLite says. */
function isUniqueViolation(error: unknown): boolean {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if (at.message.includes("UNIQUE constraint failed")) return true;
  }
  return false;
}
