import { createRoute } from "@hono/zod-openapi";
import { deleteProduct as storeDeletion } from "@tidemark/db/products";
import { Problem } from "@tidemark/http/problem";
import * as z from "zod";
import type { QueryApp } from "../../env.ts";
import { requires } from "../../plumbing/requires.ts";
import { failures, KEYED } from "../../plumbing/routes.ts";
import { readUses, sayUses } from "../definitions/read-uses.ts";
import { requireProduct } from "./product.ts";

const route = createRoute({
  method: "delete",
  path: "/v1/products/{slug}",
  tags: ["Products"],
  summary: "Delete a product",
  description: "Only while nobody is subscribed to it; otherwise `errors` lists the subscriptions. Its metric stays.",
  security: KEYED,
  middleware: requires("admin"),
  request: { params: z.object({ slug: z.string() }) },
  responses: { 204: { description: "It is deleted." }, ...failures(404, 409) },
});

export function deleteProduct(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const { DB } = context.env;
    const { project_id } = context.get("principal");
    const { id } = await requireProduct(DB, project_id, context.req.valid("param").slug);
    if (!(await storeDeletion(DB, { project_id, id }))) {
      const uses = await readUses(DB, project_id, { column: "product_id", id });
      // Without a subscription, another request has deleted it meanwhile, which is what was asked for.
      if (uses.count > 0)
        throw new Problem(
          "conflict",
          `Customers are subscribed to the product: ${sayUses(uses)}. Cancel or replace these first.`,
          {
            errors: uses.errors,
          },
        );
    }
    return context.body(null, 204);
  });
}
