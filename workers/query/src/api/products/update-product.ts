import { createRoute } from "@hono/zod-openapi";
import { toPrice } from "@tidemark/contract/price-schema";
import {
  type Product,
  type ProductChange,
  ProductChangeSchema,
  ProductSchema,
} from "@tidemark/contract/product-schema";
import { type ProductRow, updateProduct as storeProduct } from "@tidemark/db/products";
import { Problem } from "@tidemark/http/problem";
import * as z from "zod";
import type { QueryApp } from "../../env.ts";
import { jsonBody } from "../../plumbing/json-body.ts";
import { requires } from "../../plumbing/requires.ts";
import { body, failures, json, KEYED } from "../../plumbing/routes.ts";
import { slugTaken } from "../metrics/slug-taken.ts";
import { defineProduct, type WantedProduct } from "./define-product.ts";
import { linkMetric } from "./link-metric.ts";
import { requireProduct, toProduct, toProductDefinition } from "./product.ts";

const route = createRoute({
  method: "patch",
  path: "/v1/products/{slug}",
  tags: ["Products"],
  summary: "Change a product",
  description:
    "What is left out stays as it is, with `allowance` as a whole. Subscriptions that are there keep their terms and prices. " +
    "A seat that is given a metric becomes a connected seat, and a seat again with `metric: null`.",
  security: KEYED,
  middleware: [requires("admin"), jsonBody] as const,
  request: { params: z.object({ slug: z.string() }), body: body(ProductChangeSchema) },
  responses: { 200: json(ProductSchema, "The product as it is now."), ...failures(404, 409, 413, 415) },
});

export function updateProduct(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const address = { project_id: context.get("principal").project_id, slug: context.req.valid("param").slug };
    const row = await change(context.env.DB, address, context.req.valid("json"));
    return context.json(toProduct(row), 200);
  });
}

/** How often another request may change the product that was just read. */
const ATTEMPTS = 5;

async function change(
  db: D1Database,
  address: { readonly project_id: string; readonly slug: string },
  wanted: ProductChange,
): Promise<ProductRow> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const previous = await requireProduct(db, address.project_id, address.slug);
    const link = await linkMetric(db, address.project_id, wantedLink(previous, wanted));
    const definition = JSON.stringify(defineProduct(wantedProduct(previous, wanted), link));
    const updated_at = Math.max(Date.now(), previous.updated_at + 1);
    const { kind, metric_id, metric } = link;
    const is_default = (wanted.default ?? previous.is_default === 1) ? 1 : 0;
    const slug = wanted.slug ?? previous.slug;
    const next = { ...previous, kind, metric_id, metric, slug, definition, is_default, updated_at };
    const outcome = await storeProduct(db, previous, next);
    if (outcome === "updated") return next;
    if (outcome === "slug_taken") throw slugTaken("product", next.slug);
  }
  throw new Problem("conflict", "Other requests are changing this product; read it and decide again.");
}

function wantedProduct(previous: ProductRow, wanted: ProductChange): WantedProduct {
  const before = toProductDefinition(previous.definition);
  return {
    name: wanted.name ?? before.name,
    description: wanted.description === undefined ? before.description : (wanted.description ?? ""),
    prices: wanted.prices?.map(toPrice) ?? before.prices,
    charge_on: wanted.charge_on ?? before.charge_on,
    cycle_interval: wanted.cycle_interval ?? before.cycle_interval,
    allowance: wanted.allowance === undefined ? before.allowance : wanted.allowance,
    default: wanted.default ?? previous.is_default === 1,
  };
}

function wantedLink(previous: ProductRow, wanted: ProductChange) {
  const metric = wanted.metric === undefined ? previous.metric : wanted.metric;
  const kind = wanted.kind ?? (previous.kind as Product["kind"]);
  // A connected seat that is told no other kind is a seat again without its metric.
  return {
    kind: kind === "connected_seat" && metric === null && wanted.kind === undefined ? "seat" : kind,
    metric,
  } as const;
}
