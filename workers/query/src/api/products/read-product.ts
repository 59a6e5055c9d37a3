import { createRoute } from "@hono/zod-openapi";
import { NoQuerySchema } from "@tidemark/contract/answer-schema";
import { ProductSchema } from "@tidemark/contract/product-schema";
import * as z from "zod";
import type { QueryApp } from "../../env.ts";
import { requires } from "../../plumbing/requires.ts";
import { failures, json, KEYED } from "../../plumbing/routes.ts";
import { requireProduct, toProduct } from "./product.ts";

const route = createRoute({
  method: "get",
  path: "/v1/products/{slug}",
  tags: ["Products"],
  summary: "Read a product",
  security: KEYED,
  middleware: requires("read"),
  request: { params: z.object({ slug: z.string() }), query: NoQuerySchema },
  responses: { 200: json(ProductSchema, "The product."), ...failures(404) },
});

export function readProduct(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const { slug } = context.req.valid("param");
    const row = await requireProduct(context.env.DB, context.get("principal").project_id, slug);
    return context.json(toProduct(row), 200);
  });
}
