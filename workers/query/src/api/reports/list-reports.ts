import { createRoute } from "@hono/zod-openapi";
import { NoQuerySchema, pageOf } from "@tidemark/contract/answer-schema";
import { ReportSchema } from "@tidemark/contract/report-schema";
import { REPORTS } from "@tidemark/contract/reports";
import type { QueryApp } from "../../env.ts";
import { requires } from "../../plumbing/requires.ts";
import { failures, json, KEYED } from "../../plumbing/routes.ts";

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
  app.openapi(route, (context) => context.json({ data: ALL, next_cursor: null }, 200));
}

const ALL = Object.entries(REPORTS).map(([name, { title, description, days, limit, others }]) => ({
  name,
  title,
  description,
  params: ["metric", "days", "limit", ...others],
  defaults: { days, limit },
}));
