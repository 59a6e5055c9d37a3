import { createRoute } from "@hono/zod-openapi";
import { deleteProduct as storeDeletion } from "@tidemark/db/products";
import * as z from "zod";
import type { QueryApp } from "../../env.ts";
import { requires } from "../../plumbing/requires.ts";
import { failures, KEYED } from "../../plumbing/routes.ts";
import { noSuchProduct } from "./product.ts";

const route = createRoute({
  method: "delete",
  path: "/v1/products/{slug}",
  tags: ["Products"],
  summary: "Delete a product",
  description: "Its metric stays.",
  security: KEYED,
  middleware: requires("admin"),
  request: { params: z.object({ slug: z.string() }) },
  responses: { 204: { description: "It is deleted." }, ...failures(404) },
});

export function deleteProduct(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const { slug } = context.req.valid("param");
    if (!(await storeDeletion(context.env.DB, context.get("principal").project_id, slug))) throw noSuchProduct();
    return context.body(null, 204);
  });
}
