import type { StoredBalance } from "@tidemark/contract";
import { toExactJson } from "@tidemark/core/exact-json";

/** What a customer may use or is charged for, as D1 keeps it: see `schema.ts`. */
export interface DefinitionRow {
  readonly id: string;
  readonly metric_id: string | null;
  readonly product_id: string | null;
  readonly unavailable: string;
  readonly version: number;
  /** A `BalanceDefinition` as JSON. */
  readonly body: string;
  readonly created_at: number;
  readonly ended_at: number | null;
}

interface CustomerAddress {
  readonly project_id: string;
  readonly customer_id: string;
}

/** A balance's definition as a row. Without a metric, which no meter has, the metric's id is "". */
export function toDefinitionRow(
  { definition, created_at, ended_at }: Pick<StoredBalance, "definition" | "created_at" | "ended_at">,
  version: number,
): DefinitionRow {
  const { id, metric_id, product, unavailable } = definition;
  return {
    id,
    metric_id: metric_id === "" ? null : metric_id,
    product_id: product?.id ?? null,
    unavailable,
    version,
    body: toExactJson(definition),
    created_at,
    ended_at,
  };
}

/** Writes a definition as its meter has it; an older copy never takes the place of a newer one. */
export function writeDefinition(
  db: D1Database,
  { project_id, customer_id }: CustomerAddress,
  row: DefinitionRow,
): D1PreparedStatement {
  const { id, metric_id, product_id, unavailable, version, body, created_at, ended_at } = row;
  return db
    .prepare(
      `INSERT INTO definitions
         (project_id, customer_id, id, metric_id, product_id, unavailable, version, body, created_at, ended_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET metric_id = excluded.metric_id, product_id = excluded.product_id,
         unavailable = excluded.unavailable, version = excluded.version, body = excluded.body,
         created_at = excluded.created_at, ended_at = excluded.ended_at
       WHERE excluded.version > definitions.version`,
    )
    .bind(project_id, customer_id, id, metric_id, product_id, unavailable, version, body, created_at, ended_at);
}

/**
 * Writes a new definition that takes the place of another, if that is live still: two requests cannot both. Answers
 * the id when it was written; one that is there already is an error, so that nothing else of a batch is done.
 */
export function writeReplacement(
  db: D1Database,
  { project_id, customer_id }: CustomerAddress,
  row: DefinitionRow,
  replaced: string,
): D1PreparedStatement {
  const { id, metric_id, product_id, unavailable, version, body, created_at, ended_at } = row;
  return db
    .prepare(
      `INSERT INTO definitions
         (project_id, customer_id, id, metric_id, product_id, unavailable, version, body, created_at, ended_at)
       SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10
       WHERE EXISTS (
         SELECT 1 FROM definitions WHERE project_id = ?1 AND customer_id = ?2 AND id = ?11 AND ended_at IS NULL)
       RETURNING id`,
    )
    .bind(
      project_id,
      customer_id,
      id,
      metric_id,
      product_id,
      unavailable,
      version,
      body,
      created_at,
      ended_at,
      replaced,
    );
}

/** Ends a definition that another one takes the place of. */
export function endDefinition(
  db: D1Database,
  { project_id, customer_id }: CustomerAddress,
  ended: Pick<DefinitionRow, "id" | "version"> & { readonly at: number },
): D1PreparedStatement {
  const { id, version, at } = ended;
  return db
    .prepare(
      `UPDATE definitions SET version = ?1, ended_at = ?2
       WHERE project_id = ?3 AND customer_id = ?4 AND id = ?5 AND version < ?1 AND ended_at IS NULL`,
    )
    .bind(version, at, project_id, customer_id, id);
}

const LIST = `
  SELECT id, metric_id, product_id, unavailable, version, body, created_at, ended_at FROM definitions
  WHERE project_id = ? AND customer_id = ?
  ORDER BY created_at, id
  LIMIT ?`;

/** A customer's definitions, ended ones too, oldest first. */
export async function listDefinitions(
  db: D1Database,
  { project_id, customer_id }: CustomerAddress,
  limit: number,
): Promise<readonly DefinitionRow[]> {
  const { results } = await db.prepare(LIST).bind(project_id, customer_id, limit).all<DefinitionRow>();
  return results;
}

/** A live definition of somebody. */
export interface DefinitionUse extends Pick<DefinitionRow, "id" | "product_id"> {
  readonly customer_id: string;
}

/** Who still uses a metric or a product, by customer. */
export async function listUses(
  db: D1Database,
  projectId: string,
  of: { readonly column: "metric_id" | "product_id"; readonly id: string },
  limit: number,
): Promise<readonly DefinitionUse[]> {
  const { results } = await db
    .prepare(
      `SELECT customer_id, id, product_id FROM definitions
       WHERE project_id = ? AND ${of.column} = ? AND ended_at IS NULL ORDER BY customer_id, id LIMIT ?`,
    )
    .bind(projectId, of.id, limit)
    .all<DefinitionUse>();
  return results;
}

/** Whether a live subscription of a metric keeps usage by segment, because a price asks for it. */
export async function isPricedBySegment(db: D1Database, projectId: string, metricId: string): Promise<boolean> {
  const found = await db
    .prepare(
      `SELECT 1 FROM definitions
       WHERE project_id = ? AND metric_id = ? AND ended_at IS NULL AND body ->> '$.terms.by_segment' LIMIT 1`,
    )
    .bind(projectId, metricId)
    .first();
  return found !== null;
}

/** Whether there is a live limit of a metric with an allowance for each value of one of these labels. */
export async function isLimitedPer(
  db: D1Database,
  projectId: string,
  metricId: string,
  labels: readonly string[],
): Promise<boolean> {
  const found = await db
    .prepare(
      `SELECT 1 FROM definitions
       WHERE project_id = ? AND metric_id = ? AND ended_at IS NULL
         AND body ->> '$.terms.per' IN (SELECT value FROM json_each(?))
       LIMIT 1`,
    )
    .bind(projectId, metricId, JSON.stringify(labels))
    .first();
  return found !== null;
}

/** Customers who have an allowance of a metric, or are subscribed to one. */
export async function listSubjects(
  db: D1Database,
  { project_id, metric_id }: { readonly project_id: string; readonly metric_id: string },
  limit: number,
): Promise<readonly string[]> {
  const { results } = await db
    .prepare(
      `SELECT DISTINCT customer_id FROM definitions
       WHERE project_id = ?1 AND metric_id = ?2 AND ended_at IS NULL LIMIT ?3`,
    )
    .bind(project_id, metric_id, limit)
    .all<{ readonly customer_id: string }>();
  return results.map(({ customer_id }) => customer_id);
}
