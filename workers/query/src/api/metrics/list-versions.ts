import { createRoute } from "@hono/zod-openapi";
import { NoQuerySchema, pageOf } from "@tidemark/contract/answer-schema";
import { MetricVersionSchema } from "@tidemark/contract/metric-schema";
import { readVersions } from "@tidemark/db/metric-versions";
import * as z from "zod";
import type { QueryApp } from "../../env.ts";
import { toInstantText, toOptionalInstant } from "../../plumbing/instant.ts";
import { requires } from "../../plumbing/requires.ts";
import { failures, json, KEYED } from "../../plumbing/routes.ts";
import { requireMetricRow, toDefinition } from "./metric.ts";

const route = createRoute({
  method: "get",
  path: "/v1/metrics/{slug}/versions",
  tags: ["Metrics"],
  summary: "List a metric's versions",
  description: "Oldest first, all of them: what it counted from when on.",
  security: KEYED,
  middleware: requires("read"),
  request: { params: z.object({ slug: z.string() }), query: NoQuerySchema },
  responses: { 200: json(pageOf(MetricVersionSchema), "The versions."), ...failures(404) },
});

export function listVersions(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const { DB } = context.env;
    const { project_id } = context.get("principal");
    const { id } = await requireMetricRow(DB, project_id, context.req.valid("param").slug);
    const rows = await readVersions(DB, project_id, [id]);
    const data = rows.map((row) => ({
      version: row.version,
      effective_from: toInstantText(row.effective_from),
      counts_from: toOptionalInstant(row.counts_from),
      shown_from: toOptionalInstant(row.shown_from),
      definition: toDefinition(row.definition),
      created_at: toInstantText(row.created_at),
    }));
    return context.json({ data, next_cursor: null }, 200);
  });
}
