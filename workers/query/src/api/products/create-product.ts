import { createRoute } from "@hono/zod-openapi";
import { PRODUCTS_MAX } from "@tidemark/contract";
import { toPrice } from "@tidemark/contract/price-schema";
import { type ProductInput, ProductInputSchema, ProductSchema } from "@tidemark/contract/product-schema";
import { insertProduct, listProducts, type ProductRow } from "@tidemark/db/products";
import { Problem } from "@tidemark/http/problem";
import type { QueryApp } from "../../env.ts";
import { IdempotencyHeaders, idempotent } from "../../plumbing/idempotent.ts";
import { jsonBody } from "../../plumbing/json-body.ts";
import { newId } from "../../plumbing/new-id.ts";
import { requires } from "../../plumbing/requires.ts";
import { body, failures, json, KEYED } from "../../plumbing/routes.ts";
import { chooseSlug } from "../metrics/choose-slug.ts";
import { slugTaken } from "../metrics/slug-taken.ts";
import { defineProduct } from "./define-product.ts";
import { linkMetric } from "./link-metric.ts";
import { toProduct } from "./product.ts";

const route = createRoute({
  method: "post",
  path: "/v1/products",
  tags: ["Products"],
  summary: "Make a product",
  description:
    "A metric can be linked to several products. A subscription keeps the terms and prices that its product had: " +
    "a product that changes later changes later subscriptions.",
  security: KEYED,
  middleware: [requires("admin"), jsonBody, idempotent()] as const,
  request: { headers: IdempotencyHeaders, body: body(ProductInputSchema) },
  responses: { 201: json(ProductSchema, "The product."), ...failures(409, 413, 415) },
});

export function createProduct(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const { project_id } = context.get("principal");
    const row = await store(context.env.DB, project_id, context.req.valid("json"));
    return context.json(toProduct(row), 201);
  });
}

/** How often other requests may take the slug that was just chosen, or delete the metric that was just found. */
const ATTEMPTS = 5;

async function store(db: D1Database, projectId: string, input: ProductInput): Promise<ProductRow> {
  const { slug: asked, kind, metric, ...wanted } = input;
  const prices = wanted.prices.map(toPrice);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const link = await linkMetric(db, projectId, { kind, metric });
    const slug = asked ?? chooseSlug(input.name, await takenSlugs(db, projectId), "product");
    const [id, now] = [newId("prod"), Date.now()];
    const stored = { project_id: projectId, id, slug, kind: link.kind, metric_id: link.metric_id };
    const definition = JSON.stringify(defineProduct({ ...wanted, prices }, link));
    const is_default = wanted.default ? 1 : 0;
    const row = { ...stored, definition, is_default, created_at: now, updated_at: now };
    const outcome = await insertProduct(db, row, PRODUCTS_MAX);
    if (outcome === "inserted") return { ...row, metric: link.metric };
    if (outcome === "too_many")
      throw new Problem("conflict", `The project has ${PRODUCTS_MAX} products, the most a project can have.`);
    if (outcome === "slug_taken" && asked !== undefined) throw slugTaken("product", asked);
  }
  throw new Problem("conflict", "Other requests took every slug that was tried; send again, or choose a slug.");
}

async function takenSlugs(db: D1Database, projectId: string): Promise<ReadonlySet<string>> {
  const rows = await listProducts(db, projectId, { after: undefined, limit: PRODUCTS_MAX });
  return new Set(rows.map(({ slug }) => slug));
}
