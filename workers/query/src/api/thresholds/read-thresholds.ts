import { createRoute } from "@hono/zod-openapi";
import { NoQuerySchema, PageQuerySchema, pageOf } from "@tidemark/contract/answer-schema";
import { ThresholdSchema } from "@tidemark/contract/threshold-schema";
import { listThresholds as listRows } from "@tidemark/db/thresholds";
import * as z from "zod";
import type { QueryApp } from "../../env.ts";
import { readCursor, toPage } from "../../plumbing/cursor.ts";
import { requires } from "../../plumbing/requires.ts";
import { failures, json, KEYED } from "../../plumbing/routes.ts";
import { requireThreshold, toThreshold } from "./threshold.ts";

const LIST = "thresholds";

const listRoute = createRoute({
  method: "get",
  path: "/v1/thresholds",
  tags: ["Thresholds"],
  summary: "List thresholds",
  description: "By id.",
  security: KEYED,
  middleware: requires("read"),
  request: { query: PageQuerySchema },
  responses: { 200: json(pageOf(ThresholdSchema), "A page of thresholds."), ...failures() },
});

const readRoute = createRoute({
  method: "get",
  path: "/v1/thresholds/{id}",
  tags: ["Thresholds"],
  summary: "Read a threshold",
  security: KEYED,
  middleware: requires("read"),
  request: { params: z.object({ id: z.string() }), query: NoQuerySchema },
  responses: { 200: json(ThresholdSchema, "The threshold."), ...failures(404) },
});

export function listThresholds(app: QueryApp): void {
  app.openapi(listRoute, async (context) => {
    const { limit, cursor } = context.req.valid("query");
    const after = readCursor(cursor, LIST, ["string"])?.[0]?.toString();
    const rows = await listRows(context.env.DB, context.get("principal").project_id, { after, limit: limit + 1 });
    const page = toPage(rows, limit, LIST, ({ id }) => [id]);
    return context.json({ data: page.rows.map(toThreshold), next_cursor: page.next_cursor }, 200);
  });
}

export function readThreshold(app: QueryApp): void {
  app.openapi(readRoute, async (context) => {
    const { project_id } = context.get("principal");
    const row = await requireThreshold(context.env.DB, project_id, context.req.valid("param").id);
    return context.json(toThreshold(row), 200);
  });
}
