import { createRoute } from "@hono/zod-openapi";
import { NoQuerySchema } from "@tidemark/contract/answer-schema";
import { MetricSchema } from "@tidemark/contract/metric-schema";
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
  security: KEYED,
  middleware: requires("read"),
  request: { params: z.object({ slug: z.string() }), query: NoQuerySchema },
  responses: { 200: json(MetricSchema, "The metric."), ...failures(404) },
});

export function readMetric(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const { slug } = context.req.valid("param");
    return context.json(await requireMetric(context.env.DB, context.get("principal").project_id, slug), 200);
  });
}
