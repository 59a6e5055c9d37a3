import { createRoute } from "@hono/zod-openapi";
import { PageQuerySchema, pageOf } from "@tidemark/contract/answer-schema";
import { MetricSchema } from "@tidemark/contract/metric-schema";
import { listMetrics as readMetrics } from "@tidemark/db/metrics";
import type { QueryApp } from "../../env.ts";
import { readCursor, toPage } from "../../plumbing/cursor.ts";
import { requires } from "../../plumbing/requires.ts";
import { failures, json, KEYED } from "../../plumbing/routes.ts";
import { toMetric } from "./metric.ts";

const LIST = "metrics";

const route = createRoute({
  method: "get",
  path: "/v1/metrics",
  tags: ["Metrics"],
  summary: "List metrics",
  description: "By slug.",
  security: KEYED,
  middleware: requires("read"),
  request: { query: PageQuerySchema },
  responses: { 200: json(pageOf(MetricSchema), "A page of metrics."), ...failures() },
});

export function listMetrics(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const { limit, cursor } = context.req.valid("query");
    const after = readCursor(cursor, LIST, ["string"])?.[0]?.toString();
    const rows = await readMetrics(context.env.DB, context.get("principal").project_id, { after, limit: limit + 1 });
    const page = toPage(rows, limit, LIST, ({ slug }) => [slug]);
    return context.json({ data: page.rows.map(toMetric), next_cursor: page.next_cursor }, 200);
  });
}
