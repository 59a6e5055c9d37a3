import type { Product } from "@tidemark/contract/product-schema";
import { findProduct, type ProductRow } from "@tidemark/db/products";
import { Problem } from "@tidemark/http/problem";
import { toInstantText } from "../../plumbing/instant.ts";

/** What of a product is stored as its definition. */
export type ProductDefinition = Pick<Product, "name" | "description" | "prices">;

/** A stored product as it is answered. */
export function toProduct(row: ProductRow): Product {
  return {
    id: row.id,
    slug: row.slug,
    ...toProductDefinition(row.definition),
    kind: row.kind as Product["kind"],
    metric: row.metric,
    created_at: toInstantText(row.created_at),
    updated_at: toInstantText(row.updated_at),
  };
}

export function toProductDefinition(stored: string): ProductDefinition {
  const { name, description, prices } = JSON.parse(stored) as ProductDefinition;
  return { name, description, prices };
}

/** @throws Problem not_found. */
export async function requireProduct(db: D1Database, projectId: string, slug: string): Promise<ProductRow> {
  const row = await findProduct(db, projectId, slug);
  if (row === undefined) throw noSuchProduct();
  return row;
}

/** The same whether it is nobody's or another project's. */
export function noSuchProduct(): Problem {
  return new Problem("not_found", "The project has no product with this slug; GET /v1/products lists those it has.");
}
