import { createRoute } from "@hono/zod-openapi";
import { NoQuerySchema, pageOf } from "@tidemark/contract/answer-schema";
import { MetricTemplateSchema } from "@tidemark/contract/metric-schema";
import { METRIC_TEMPLATES } from "@tidemark/core/metric-templates";
import type { QueryApp } from "../../env.ts";
import { requires } from "../../plumbing/requires.ts";
import { failures, json, KEYED } from "../../plumbing/routes.ts";

const route = createRoute({
  method: "get",
  path: "/v1/metric-templates",
  tags: ["Metrics"],
  summary: "List templates of metrics",
  description: "`metric` of each can be sent to POST /v1/metrics as it is, or changed first.",
  security: KEYED,
  middleware: requires("read"),
  request: { query: NoQuerySchema },
  responses: { 200: json(pageOf(MetricTemplateSchema), "Every template."), ...failures() },
});

export function listTemplates(app: QueryApp): void {
  app.openapi(route, (context) => context.json({ data: [...METRIC_TEMPLATES], next_cursor: null }, 200));
}
