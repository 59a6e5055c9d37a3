import { createRoute } from "@hono/zod-openapi";
import { PageQuerySchema, pageOf } from "@tidemark/contract/answer-schema";
import { type NoticeAnswer, NoticeSchema } from "@tidemark/contract/threshold-schema";
import { findMetrics } from "@tidemark/db/metrics";
import { listNotices as listRows, type NoticeRow } from "@tidemark/db/notices";
import type { QueryApp } from "../../env.ts";
import { readAgeCursor, toPage } from "../../plumbing/cursor.ts";
import { toInstantText } from "../../plumbing/instant.ts";
import { requires } from "../../plumbing/requires.ts";
import { failures, json, KEYED } from "../../plumbing/routes.ts";
import { toCycle } from "../definitions/standing.ts";

const LIST = "notices";

const route = createRoute({
  method: "get",
  path: "/v1/notices",
  tags: ["Thresholds"],
  summary: "List what thresholds have told",
  description: "Newest first: which customer came to which line.",
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

/** What a meter writes of a crossing, among other things. */
type Crossing = Pick<NoticeAnswer, "threshold_id" | "name" | "operator" | "line" | "value" | "allowance" | "cycle"> & {
  /** The slug of then. */
  readonly metric: string;
};

function toNotice(row: NoticeRow, slugs: ReadonlyMap<string, string>): NoticeAnswer {
  const { threshold_id, name, operator, line, value, allowance, cycle, metric } = JSON.parse(row.body) as Crossing;
  return {
    id: row.id,
    kind: row.kind,
    customer_id: row.customer_id,
    metric: slugs.get(row.metric_id) ?? metric,
    at: toInstantText(row.at),
    threshold_id,
    name,
    operator,
    line,
    value,
    allowance,
    cycle: toCycle({ start: Date.parse(cycle.start), end: Date.parse(cycle.end) }),
  };
}
