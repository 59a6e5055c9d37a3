import { createRoute } from "@hono/zod-openapi";
import { PageQuerySchema, pageOf } from "@tidemark/contract/answer-schema";
import { ProductSchema } from "@tidemark/contract/product-schema";
import { listProducts as readProducts } from "@tidemark/db/products";
import type { QueryApp } from "../../env.ts";
import { readCursor, toPage } from "../../plumbing/cursor.ts";
import { requires } from "../../plumbing/requires.ts";
import { failures, json, KEYED } from "../../plumbing/routes.ts";
import { toProduct } from "./product.ts";

const LIST = "products";

const route = createRoute({
  method: "get",
  path: "/v1/products",
  tags: ["Products"],
  summary: "List products",
  description: "By slug.",
  security: KEYED,
  middleware: requires("read"),
  request: { query: PageQuerySchema },
  responses: { 200: json(pageOf(ProductSchema), "A page of products."), ...failures() },
});

export function listProducts(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const { limit, cursor } = context.req.valid("query");
    const after = readCursor(cursor, LIST, ["string"])?.[0]?.toString();
    const rows = await readProducts(context.env.DB, context.get("principal").project_id, { after, limit: limit + 1 });
    const page = toPage(rows, limit, LIST, ({ slug }) => [slug]);
    return context.json({ data: page.rows.map(toProduct), next_cursor: page.next_cursor }, 200);
  });
}
