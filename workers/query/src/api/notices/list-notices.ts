import { createRoute } from "@hono/zod-openapi";
import { PageQuerySchema, pageOf } from "@tidemark/contract/answer-schema";
import { NoticeSchema } from "@tidemark/contract/notice-schema";
import { findMetrics } from "@tidemark/db/metrics";
import { listNotices as listRows } from "@tidemark/db/notices";
import type { QueryApp } from "../../env.ts";
import { readAgeCursor, toPage } from "../../plumbing/cursor.ts";
import { requires } from "../../plumbing/requires.ts";
import { failures, json, KEYED } from "../../plumbing/routes.ts";
import { toNotice } from "./to-notice.ts";

const LIST = "notices";

const route = createRoute({
  method: "get",
  path: "/v1/notices",
  tags: ["Notices"],
  summary: "List what people were told",
  description:
    "Newest first: which customer came to which threshold, digests, tests of destinations, and destinations that were disabled. Kept for 400 days.",
  security: KEYED,
  middleware: requires("read"),
  request: { query: PageQuerySchema },
  responses: { 200: json(pageOf(NoticeSchema), "A page of notices."), ...failures() },
});

export function listNotices(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const { DB } = context.env;
    const { limit, cursor } = context.req.valid("query");
    const { project_id } = context.get("principal");
    const before = readAgeCursor(cursor, LIST);
    const rows = await listRows(DB, project_id, {
      before: before === undefined ? undefined : { at: before.created_at, id: before.id },
      limit: limit + 1,
    });
    const page = toPage(rows, limit, LIST, ({ at, id }) => [at, id]);
    const metrics = await findMetrics(DB, project_id, [...new Set(page.rows.map(({ metric_id }) => metric_id))]);
    const slugs = new Map(metrics.map(({ id, slug }) => [id, slug]));
    return context.json({ data: page.rows.map((row) => toNotice(row, slugs)), next_cursor: page.next_cursor }, 200);
  });
}
