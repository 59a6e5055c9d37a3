import { createRoute } from "@hono/zod-openapi";
import { NoQuerySchema, pageOf } from "@tidemark/contract/answer-schema";
import { ReportSchema } from "@tidemark/contract/report-schema";
import type { QueryApp } from "../../env.ts";
import { requires } from "../../plumbing/requires.ts";
import { failures, json, KEYED } from "../../plumbing/routes.ts";

const REPORTS = [
  {
    name: "top-customers",
    title: "Top customers",
    description: "Who uses most of a metric, with active days, last use, trend and daily series.",
    params: ["metric", "days", "limit"],
  },
];

const route = createRoute({
  method: "get",
  path: "/v1/reports",
  tags: ["Reports"],
  summary: "List reports",
  security: KEYED,
  middleware: requires("read"),
  request: { query: NoQuerySchema },
  responses: { 200: json(pageOf(ReportSchema), "Every report, at /v1/reports/{name}."), ...failures() },
});

export function listReports(app: QueryApp): void {
  app.openapi(route, (context) => context.json({ data: REPORTS, next_cursor: null }, 200));
}
