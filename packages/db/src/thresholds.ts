import { prepare } from "./prepare.ts";
import { announce } from "./announce.ts";
import { sql } from "drizzle-orm";

/** A threshold as it is stored. */
export interface StoredThreshold {
  readonly project_id: string;
  readonly id: string;
  readonly metric_id: string;
  /** `null`: of every customer. */
  readonly customer_id: string | null;
  /** Counts the changes. */
  readonly version: number;
  /** A `ThresholdDefinition` as JSON. */
  readonly definition: string;
  readonly created_at: number;
  readonly updated_at: number;
}

/** A threshold with what its metric is called now, and how its quantities are written. */
export interface ThresholdRow extends StoredThreshold {
  readonly metric: string;
  readonly decimal_places: number;
}

/** What a metric can have, for every customer and for one; and what a project can. */
export interface ThresholdLimits {
  readonly metricMax: number;
  readonly projectMax: number;
}

/** Stores a threshold, and tells the meters, by the catalog's version. @returns whether there was room, and a metric. */
export async function insertThreshold(
  db: D1Database,
  threshold: StoredThreshold,
  { metricMax, projectMax }: ThresholdLimits,
): Promise<boolean> {
  const { project_id, id, metric_id, customer_id, version, definition, created_at, updated_at } = threshold;
  const insert = sql`
    INSERT INTO thresholds (project_id, id, metric_id, customer_id, version, definition, created_at, updated_at)
    SELECT ${project_id}, ${id}, ${metric_id}, ${customer_id}, ${version}, ${definition}, ${created_at}, ${updated_at}
    WHERE (SELECT COUNT(*) FROM thresholds WHERE project_id = ${project_id}) < ${projectMax}
      AND (SELECT COUNT(*) FROM thresholds
           WHERE project_id = ${project_id} AND metric_id = ${metric_id} AND customer_id IS ${customer_id}) < ${metricMax}
      AND EXISTS (SELECT 1 FROM metrics WHERE project_id = ${project_id} AND id = ${metric_id} AND deleted_at IS NULL)
    RETURNING id`;
  const isStored = sql`EXISTS (SELECT 1 FROM thresholds WHERE project_id = ${project_id} AND id = ${id})`;
  const [inserted] = await db.batch([insert, announce(project_id, isStored)].map((each) => prepare(db, each)));
  return inserted?.results.length === 1;
}

/** Puts a definition in the place of the one it was made from. @returns false when that has changed meanwhile, or is gone. */
export async function updateThreshold(
  db: D1Database,
  previous: StoredThreshold,
  next: Pick<StoredThreshold, "version" | "definition" | "updated_at">,
): Promise<boolean> {
  const { project_id, id } = previous;
  const isUnchanged = sql`EXISTS (
    SELECT 1 FROM thresholds WHERE project_id = ${project_id} AND id = ${id} AND version = ${previous.version})`;
  const update = sql`
    UPDATE thresholds SET version = ${next.version}, definition = ${next.definition}, updated_at = ${next.updated_at}
    WHERE project_id = ${project_id} AND id = ${id} AND version = ${previous.version}
    RETURNING id`;
  const [, updated] = await db.batch([announce(project_id, isUnchanged), update].map((each) => prepare(db, each)));
  return updated?.results.length === 1;
}

/** Deletes a threshold, if it is there. */
export async function deleteThreshold(
  db: D1Database,
  { project_id, id }: Pick<StoredThreshold, "project_id" | "id">,
): Promise<void> {
  const isThere = sql`EXISTS (SELECT 1 FROM thresholds WHERE project_id = ${project_id} AND id = ${id})`;
  const remove = sql`DELETE FROM thresholds WHERE project_id = ${project_id} AND id = ${id}`;
  await db.batch([announce(project_id, isThere), remove].map((each) => prepare(db, each)));
}

const SELECT = sql`
  SELECT t.project_id, t.id, t.metric_id, t.customer_id, t.version, t.definition, t.created_at, t.updated_at,
    m.slug AS metric, m.definition ->> 'decimal_places' AS decimal_places
  FROM thresholds t JOIN metrics m ON m.project_id = t.project_id AND m.id = t.metric_id`;

/** A page of a project's thresholds, by id. */
export async function listThresholds(
  db: D1Database,
  projectId: string,
  page: { readonly after: string | undefined; readonly limit: number },
): Promise<readonly ThresholdRow[]> {
  const { after = "", limit } = page;
  const query = sql`${SELECT} WHERE t.project_id = ${projectId} AND t.id > ${after} ORDER BY t.id LIMIT ${limit}`;
  return (await prepare(db, query).all<ThresholdRow>()).results;
}

/** One threshold. */
export async function findThreshold(db: D1Database, projectId: string, id: string): Promise<ThresholdRow | undefined> {
  const query = sql`${SELECT} WHERE t.project_id = ${projectId} AND t.id = ${id}`;
  return (await prepare(db, query).first<ThresholdRow>()) ?? undefined;
}
