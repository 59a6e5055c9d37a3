import { and, asc, eq, gt, type SQL, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { announce } from "./announce.ts";
import { isUniqueViolation } from "./is-unique-violation.ts";
import { prepare } from "./prepare.ts";
import { metrics, products } from "./schema.ts";

export type StoredProduct = typeof products.$inferSelect;

/** A product with the slug that its metric has now. */
export interface ProductRow extends StoredProduct {
  readonly metric: string | null;
}

const COLUMNS = {
  project_id: products.project_id,
  id: products.id,
  slug: products.slug,
  kind: products.kind,
  metric_id: products.metric_id,
  definition: products.definition,
  created_at: products.created_at,
  updated_at: products.updated_at,
  is_default: products.is_default,
  metric: metrics.slug,
};

const ITS_METRIC = and(eq(metrics.project_id, products.project_id), eq(metrics.id, products.metric_id));

/** What became of a new product. `metric_gone`: its metric was deleted meanwhile. */
export type InsertProductOutcome = "inserted" | "slug_taken" | "too_many" | "metric_gone";

/**
 * Stores a product, and takes the default from another if this one is it. That its metric exists is part of
 * the statements: deleting the metric asks for products.
 */
export async function insertProduct(
  db: D1Database,
  product: StoredProduct,
  productsMax: number,
): Promise<InsertProductOutcome> {
  const { project_id, id, slug, kind, metric_id, definition, created_at, updated_at, is_default } = product;
  const count = sql`SELECT COUNT(*) AS n FROM products WHERE project_id = ${project_id}`;
  const isFine = sql`(${count}) < ${productsMax} AND ${isThere(project_id, metric_id)}`;
  const insert = sql`
    INSERT INTO products (project_id, id, slug, kind, metric_id, definition, created_at, updated_at, is_default)
    SELECT ${project_id}, ${id}, ${slug}, ${kind}, ${metric_id}, ${definition}, ${created_at}, ${updated_at}, ${is_default}
    WHERE ${isFine}
    RETURNING id`;
  try {
    const statements = [count, announce(project_id, isFine), takeDefault(product, isFine), insert];
    const outcomes = await db.batch<{ readonly n: number }>(statements.map((statement) => prepare(db, statement)));
    if (outcomes.at(-1)?.results.length === 1) return "inserted";
    return (outcomes[0]?.results[0]?.n ?? 0) < productsMax ? "metric_gone" : "too_many";
  } catch (error) {
    if (isUniqueViolation(error)) return "slug_taken";
    throw error;
  }
}

/** Puts a product in the place of the one it was made from. `stale`: that has changed, or the metric is gone. */
export async function updateProduct(
  db: D1Database,
  previous: StoredProduct,
  next: StoredProduct,
): Promise<"updated" | "slug_taken" | "stale"> {
  const { project_id, id, slug, kind, metric_id, definition, updated_at, is_default } = next;
  const isFine = sql`${isThere(project_id, metric_id)} AND EXISTS (
    SELECT 1 FROM products WHERE project_id = ${project_id} AND id = ${id} AND updated_at = ${previous.updated_at})`;
  const update = sql`
    UPDATE products SET slug = ${slug}, kind = ${kind}, metric_id = ${metric_id}, definition = ${definition},
      updated_at = ${updated_at}, is_default = ${is_default}
    WHERE project_id = ${project_id} AND id = ${id} AND ${isFine}
    RETURNING id`;
  try {
    const statements = [announce(project_id, isFine), takeDefault(next, isFine), update];
    const outcomes = await db.batch(statements.map((statement) => prepare(db, statement)));
    return outcomes.at(-1)?.results.length === 1 ? "updated" : "stale";
  } catch (error) {
    if (isUniqueViolation(error)) return "slug_taken";
    throw error;
  }
}

/** Deletes a product that nobody is subscribed to. @returns whether this call did. */
export async function deleteProduct(
  db: D1Database,
  { project_id, id }: { readonly project_id: string; readonly id: string },
): Promise<boolean> {
  const isFree = sql`NOT EXISTS (
    SELECT 1 FROM definitions WHERE project_id = ${project_id} AND product_id = ${id} AND ended_at IS NULL)`;
  const remove = sql`DELETE FROM products WHERE project_id = ${project_id} AND id = ${id} AND ${isFree} RETURNING id`;
  const statements = [remove, announce(project_id, isFree)];
  const [removed] = await db.batch(statements.map((statement) => prepare(db, statement)));
  return removed?.results.length === 1;
}

/** A page of a project's products, by slug. */
export async function listProducts(
  db: D1Database,
  projectId: string,
  page: { readonly after: string | undefined; readonly limit: number },
): Promise<ProductRow[]> {
  const { after, limit } = page;
  return drizzle(db)
    .select(COLUMNS)
    .from(products)
    .leftJoin(metrics, ITS_METRIC)
    .where(and(eq(products.project_id, projectId), after === undefined ? undefined : gt(products.slug, after)))
    .orderBy(asc(products.slug))
    .limit(limit);
}

/** The product with a slug. */
export async function findProduct(db: D1Database, projectId: string, slug: string): Promise<ProductRow | undefined> {
  return drizzle(db)
    .select(COLUMNS)
    .from(products)
    .leftJoin(metrics, ITS_METRIC)
    .where(and(eq(products.project_id, projectId), eq(products.slug, slug)))
    .get();
}

/** What people see of a product that a metric is linked to. */
export type LinkedProduct = Pick<StoredProduct, "id" | "slug" | "kind"> & { readonly name: string };

/** Products that a metric is linked to, by slug. */
export async function listLinkedProducts(
  db: D1Database,
  projectId: string,
  metricId: string,
  limit: number,
): Promise<LinkedProduct[]> {
  const { id, slug, kind } = COLUMNS;
  return drizzle(db)
    .select({ id, slug, name: sql<string>`${products.definition} ->> 'name'`, kind })
    .from(products)
    .where(and(eq(products.project_id, projectId), eq(products.metric_id, metricId)))
    .orderBy(asc(products.slug))
    .limit(limit);
}

/** Whether a product that a metric is linked to prices one of these segments. */
export async function isPriced(
  db: D1Database,
  projectId: string,
  metricId: string,
  segments: readonly string[],
): Promise<boolean> {
  const found = await db
    .prepare(
      `SELECT 1 FROM products, json_each(products.definition, '$.prices') AS price
       WHERE project_id = ? AND metric_id = ? AND price.value ->> '$.segment' IN (SELECT value FROM json_each(?))
       LIMIT 1`,
    )
    .bind(projectId, metricId, JSON.stringify(segments))
    .first();
  return found !== null;
}

/** Makes room for a default: the project has one at most. */
function takeDefault({ project_id, id, is_default }: StoredProduct, condition: SQL): SQL {
  return sql`
    UPDATE products SET is_default = 0
    WHERE project_id = ${project_id} AND is_default = 1 AND id <> ${id} AND ${is_default} = 1 AND ${condition}`;
}

function isThere(projectId: string, metricId: string | null) {
  return sql`(${metricId} IS NULL OR EXISTS (
    SELECT 1 FROM metrics WHERE project_id = ${projectId} AND id = ${metricId} AND deleted_at IS NULL))`;
}
