import { and, asc, eq, gt, isNull, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { announce } from "./announce.ts";
import { isUniqueViolation } from "./is-unique-violation.ts";
import { prepare } from "./prepare.ts";
import { metrics, metricSlugs, metricVersions } from "./schema.ts";

/** A metric that is not deleted. */
export interface MetricRow extends Omit<typeof metrics.$inferSelect, "deleted_at"> {
  /** From when on its version is in effect. */
  readonly effective_from: number;
}

const COLUMNS = {
  project_id: metrics.project_id,
  id: metrics.id,
  slug: metrics.slug,
  version: metrics.version,
  definition: metrics.definition,
  created_at: metrics.created_at,
  updated_at: metrics.updated_at,
  effective_from: metricVersions.effective_from,
};

const ITS_VERSION = and(
  eq(metricVersions.project_id, metrics.project_id),
  eq(metricVersions.metric_id, metrics.id),
  eq(metricVersions.version, metrics.version),
);

/** What became of a new metric. */
export type InsertMetricOutcome = "inserted" | "slug_taken" | "too_many";

/**
 * Stores a metric with its first version and its slug, and tells the consumers, by the project's catalog
 * version, to read the metrics again: all or nothing. The cap is part of the statement, so that two
 * requests cannot pass it together.
 */
export async function insertMetric(
  db: D1Database,
  metric: MetricRow,
  metricsMax: number,
): Promise<InsertMetricOutcome> {
  const { project_id, id, slug, version, definition, created_at, updated_at, effective_from } = metric;
  const isStored = sql`EXISTS (SELECT 1 FROM metrics WHERE project_id = ${project_id} AND id = ${id})`;
  const insert = sql`
    INSERT INTO metrics (project_id, id, slug, version, definition, created_at, updated_at)
    SELECT ${project_id}, ${id}, ${slug}, ${version}, ${definition}, ${created_at}, ${updated_at}
    WHERE (SELECT COUNT(*) FROM metrics WHERE project_id = ${project_id} AND deleted_at IS NULL) < ${metricsMax}
    RETURNING id`;
  const name = sql`
    INSERT INTO metric_slugs (project_id, slug, metric_id) SELECT ${project_id}, ${slug}, ${id} WHERE ${isStored}`;
  const begin = sql`
    INSERT INTO metric_versions (project_id, metric_id, version, counter_id, definition, effective_from, created_at)
    SELECT ${project_id}, ${id}, ${version}, ${id}, ${definition}, ${effective_from}, ${created_at} WHERE ${isStored}`;
  try {
    const statements = [insert, name, begin, announce(project_id, isStored)];
    const [inserted] = await db.batch(statements.map((statement) => prepare(db, statement)));
    return inserted?.results.length === 1 ? "inserted" : "too_many";
  } catch (error) {
    if (isUniqueViolation(error)) return "slug_taken";
    throw error;
  }
}

/** `stale`: the metric is no longer what the change was made from, or is gone. */
export type UpdateMetricOutcome = "updated" | "slug_taken" | "stale";

/**
 * Puts a definition in the place of the one it was made from, unless that has changed meanwhile. A higher
 * version becomes a version of its own, counted under `counterId`; otherwise the current one takes the
 * new definition. Slugs add up: none is ever given back.
 */
export async function updateMetric(
  db: D1Database,
  previous: MetricRow,
  next: MetricRow,
  counterId: string,
): Promise<UpdateMetricOutcome> {
  const { project_id, id, slug, version, definition, updated_at, effective_from } = next;
  const isUnchanged = sql`EXISTS (
    SELECT 1 FROM metrics WHERE project_id = ${project_id} AND id = ${id} AND version = ${previous.version}
    AND updated_at = ${previous.updated_at} AND deleted_at IS NULL)`;
  const name = sql`
    INSERT INTO metric_slugs (project_id, slug, metric_id) SELECT ${project_id}, ${slug}, ${id}
    WHERE ${isUnchanged} AND NOT EXISTS (
      SELECT 1 FROM metric_slugs WHERE project_id = ${project_id} AND slug = ${slug} AND metric_id = ${id})`;
  const begin = sql`
    INSERT INTO metric_versions
      (project_id, metric_id, version, counter_id, definition, effective_from, counts_from, shown_from, created_at)
    SELECT ${project_id}, ${id}, ${version}, ${counterId}, ${definition},
      ${effective_from}, ${effective_from}, ${effective_from}, ${updated_at}
    WHERE ${isUnchanged}`;
  const keep = sql`
    UPDATE metric_versions SET definition = ${definition}
    WHERE project_id = ${project_id} AND metric_id = ${id} AND version = ${version} AND ${isUnchanged}`;
  const update = sql`
    UPDATE metrics SET slug = ${slug}, version = ${version}, definition = ${definition}, updated_at = ${updated_at}
    WHERE project_id = ${project_id} AND id = ${id} AND ${isUnchanged}
    RETURNING id`;
  try {
    const counting = version === previous.version ? keep : begin;
    const statements = [name, counting, announce(project_id, isUnchanged), update];
    const outcomes = await db.batch(statements.map((statement) => prepare(db, statement)));
    return outcomes.at(-1)?.results.length === 1 ? "updated" : "stale";
  } catch (error) {
    if (isUniqueViolation(error)) return "slug_taken";
    throw error;
  }
}

/** Deletes a metric, with its thresholds, that no product, digest, allowance or subscription uses. @returns whether this call did. */
export async function deleteMetric(
  db: D1Database,
  address: { readonly project_id: string; readonly id: string },
  now: number,
): Promise<boolean> {
  const { project_id, id } = address;
  const isFree = sql`
    NOT EXISTS (SELECT 1 FROM products WHERE project_id = ${project_id} AND metric_id = ${id})
    AND NOT EXISTS (SELECT 1 FROM digests WHERE project_id = ${project_id} AND metric_id = ${id})
    AND NOT EXISTS (
      SELECT 1 FROM definitions WHERE project_id = ${project_id} AND metric_id = ${id} AND ended_at IS NULL)`;
  const remove = sql`
    UPDATE metrics SET deleted_at = ${now}
    WHERE project_id = ${project_id} AND id = ${id} AND deleted_at IS NULL AND ${isFree}
    RETURNING id`;
  const forget = sql`DELETE FROM thresholds WHERE project_id = ${project_id} AND metric_id = ${id} AND ${isFree}`;
  const statements = [remove, forget, announce(project_id, isFree)];
  const [removed] = await db.batch(statements.map((statement) => prepare(db, statement)));
  return removed?.results.length === 1;
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
    .innerJoin(metricVersions, ITS_VERSION)
    .where(
      and(
        eq(metrics.project_id, projectId),
        isNull(metrics.deleted_at),
        after === undefined ? undefined : gt(metrics.slug, after),
      ),
    )
    .orderBy(asc(metrics.slug))
    .limit(limit);
}

/** The metric that has a slug, or once had it. */
export async function findMetric(db: D1Database, projectId: string, slug: string): Promise<MetricRow | undefined> {
  return drizzle(db)
    .select(COLUMNS)
    .from(metricSlugs)
    .innerJoin(metrics, and(eq(metrics.project_id, metricSlugs.project_id), eq(metrics.id, metricSlugs.metric_id)))
    .innerJoin(metricVersions, ITS_VERSION)
    .where(and(eq(metricSlugs.project_id, projectId), eq(metricSlugs.slug, slug), isNull(metrics.deleted_at)))
    .get();
}

/** The metrics with some ids, deleted ones too: what was counted and sold under them stays. */
export async function findMetrics(db: D1Database, projectId: string, ids: readonly string[]): Promise<MetricRow[]> {
  if (ids.length === 0) return [];
  return drizzle(db)
    .select(COLUMNS)
    .from(metrics)
    .innerJoin(metricVersions, ITS_VERSION)
    .where(
      and(
        eq(metrics.project_id, projectId),
        sql`${metrics.id} IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`,
      ),
    )
    .limit(ids.length);
}

/** Slugs that name a metric, deleted ones too, and begin with a text. */
export async function listSlugs(
  db: D1Database,
  projectId: string,
  start: { readonly prefix: string; readonly limit: number },
): Promise<string[]> {
  const rows = await drizzle(db)
    .select({ slug: metricSlugs.slug })
    .from(metricSlugs)
    .where(
      and(
        eq(metricSlugs.project_id, projectId),
        sql`${metricSlugs.slug} >= ${start.prefix}`,
        sql`${metricSlugs.slug} < ${`${start.prefix}~`}`,
      ),
    )
    .limit(start.limit);
  return rows.map(({ slug }) => slug);
}
