import type { Product } from "@tidemark/contract/product-schema";
import type { ProductDefinition } from "@tidemark/contract/subscribe";
import { findProduct, type ProductRow } from "@tidemark/db/products";
import { Problem } from "@tidemark/http/problem";
import { toInstantText } from "../../plumbing/instant.ts";

/** A stored product as it is answered. */
export function toProduct(row: ProductRow): Product {
  const { accumulates: _, ...definition } = toProductDefinition(row.definition);
  return {
    id: row.id,
    slug: row.slug,
    // What is stored is what the answer's schema says, in types that nobody can change.
    ...(definition as Pick<Product, keyof typeof definition>),
    kind: row.kind as Product["kind"],
    metric: row.metric,
    default: row.is_default === 1,
    created_at: toInstantText(row.created_at),
    updated_at: toInstantText(row.updated_at),
  };
}

/** A stored definition. What was checked when it was stored is not checked again. */
export function toProductDefinition(stored: string): ProductDefinition {
  return { ...LATER_FIELDS, ...(JSON.parse(stored) as Pick<ProductDefinition, "name" | "description" | "prices">) };
}

/** Fields that definitions stored by earlier releases lack. */
const LATER_FIELDS = {
  charge_on: "total",
  cycle_interval: { count: 1, period: "months" },
  allowance: null,
  accumulates: false,
} as const;

/** @throws Problem not_found. */
export async function requireProduct(db: D1Database, projectId: string, slug: string): Promise<ProductRow> {
  const row = await findProduct(db, projectId, slug);
  if (row === undefined) throw noSuchProduct();
  return row;
}

/** The same whether it is nobody's or another project's. */
function noSuchProduct(): Problem {
  return new Problem("not_found", "The project has no product with this slug; GET /v1/products lists those it has.");
}
