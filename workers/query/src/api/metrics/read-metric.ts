import { createRoute } from "@hono/zod-openapi";
import { NoQuerySchema } from "@tidemark/contract/answer-schema";
import { PRODUCTS_MAX } from "@tidemark/contract";
import { LinkedMetricSchema } from "@tidemark/contract/metric-schema";
import { listLinkedProducts } from "@tidemark/db/products";
import * as z from "zod";
import type { QueryApp } from "../../env.ts";
import { requires } from "../../plumbing/requires.ts";
import { failures, json, KEYED } from "../../plumbing/routes.ts";
import { requireMetric } from "./metric.ts";

const route = createRoute({
  method: "get",
  path: "/v1/metrics/{slug}",
  tags: ["Metrics"],
  summary: "Read a metric",
  description: "By its slug, or one that it had before.",
  security: KEYED,
  middleware: requires("read"),
  request: { params: z.object({ slug: z.string() }), query: NoQuerySchema },
  responses: { 200: json(LinkedMetricSchema, "The metric, with the products that it is linked to."), ...failures(404) },
});

export function readMetric(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const { DB } = context.env;
    const { project_id } = context.get("principal");
    const metric = await requireMetric(DB, project_id, context.req.valid("param").slug);
    const products = await listLinkedProducts(DB, project_id, metric.id, PRODUCTS_MAX);
    return context.json({ ...metric, products }, 200);
  });
}
