import { and, asc, eq, gt, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
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
  metric: metrics.slug,
};

const ITS_METRIC = and(eq(metrics.project_id, products.project_id), eq(metrics.id, products.metric_id));

/** What became of a new product. `metric_gone`: its metric was deleted meanwhile. */
export type InsertProductOutcome = "inserted" | "slug_taken" | "too_many" | "metric_gone";

/** Stores a product. That its metric exists is part of the statement: deleting the metric asks for products. */
export async function insertProduct(
  db: D1Database,
  product: StoredProduct,
  productsMax: number,
): Promise<InsertProductOutcome> {
  const { project_id, id, slug, kind, metric_id, definition, created_at, updated_at } = product;
  const count = sql`SELECT COUNT(*) AS n FROM products WHERE project_id = ${project_id}`;
  const insert = sql`
    INSERT INTO products (project_id, id, slug, kind, metric_id, definition, created_at, updated_at)
    SELECT ${project_id}, ${id}, ${slug}, ${kind}, ${metric_id}, ${definition}, ${created_at}, ${updated_at}
    WHERE (${count}) < ${productsMax} AND ${isThere(project_id, metric_id)}
    RETURNING id`;
  try {
    const [before, inserted] = await db.batch<{ readonly n: number }>([prepare(db, count), prepare(db, insert)]);
    if (inserted?.results.length === 1) return "inserted";
    return (before?.results[0]?.n ?? 0) < productsMax ? "metric_gone" : "too_many";
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
  const { project_id, id, slug, kind, metric_id, definition, updated_at } = next;
  const update = sql`
    UPDATE products SET slug = ${slug}, kind = ${kind}, metric_id = ${metric_id}, definition = ${definition},
      updated_at = ${updated_at}
    WHERE project_id = ${project_id} AND id = ${id} AND updated_at = ${previous.updated_at}
      AND ${isThere(project_id, metric_id)}
    RETURNING id`;
  try {
    const { results } = await prepare(db, update).all();
    return results.length === 1 ? "updated" : "stale";
  } catch (error) {
    if (isUniqueViolation(error)) return "slug_taken";
    throw error;
  }
}

/** Deletes a product. @returns whether there was one. */
export async function deleteProduct(db: D1Database, projectId: string, slug: string): Promise<boolean> {
  const removed = await drizzle(db)
    .delete(products)
    .where(and(eq(products.project_id, projectId), eq(products.slug, slug)))
    .returning({ id: products.id });
  return removed.length > 0;
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

function isThere(projectId: string, metricId: string | null) {
  return sql`(${metricId} IS NULL OR EXISTS (
    SELECT 1 FROM metrics WHERE project_id = ${projectId} AND id = ${metricId} AND deleted_at IS NULL))`;
}
