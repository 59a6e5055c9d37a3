import { createRoute } from "@hono/zod-openapi";
import { pageOf } from "@tidemark/contract/answer-schema";
import {
  type QuarantineAnswer,
  QuarantineEntrySchema,
  QuarantineQuerySchema,
} from "@tidemark/contract/quarantine-schema";
import { listQuarantine as readQuarantine, type QuarantineRow } from "@tidemark/db/quarantine";
import type { QueryApp } from "../../env.ts";
import { readAgeCursor, toPage } from "../../plumbing/cursor.ts";
import { toInstantText, toOptionalInstant } from "../../plumbing/instant.ts";
import { requires } from "../../plumbing/requires.ts";
import { failures, json, KEYED } from "../../plumbing/routes.ts";
import { readMessage } from "./read-message.ts";

const LIST = "quarantine";

const route = createRoute({
  method: "get",
  path: "/v1/quarantine",
  tags: ["Quarantine"],
  summary: "List what could not be counted",
  description: "Newest first: events that were accepted and are held back, with the reason.",
  security: KEYED,
  middleware: requires("read"),
  request: { query: QuarantineQuerySchema },
  responses: { 200: json(pageOf(QuarantineEntrySchema), "A page of entries."), ...failures() },
});

export function listQuarantine(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const { limit, cursor } = context.req.valid("query");
    const before = readAgeCursor(cursor, LIST);
    const { project_id } = context.get("principal");
    const rows = await readQuarantine(context.env.DB, project_id, { before, limit: limit + 1 });
    const page = toPage(rows, limit, LIST, ({ created_at, id }) => [created_at, id]);
    return context.json({ data: page.rows.map(toEntry), next_cursor: page.next_cursor }, 200);
  });
}

function toEntry(row: QuarantineRow): QuarantineAnswer {
  const message = readMessage(row.body);
  return {
    id: row.id,
    reason: row.reason,
    detail: row.detail,
    customer_id: row.customer_id,
    at: toInstantText(row.created_at),
    replayed_at: toOptionalInstant(row.replayed_at),
    events: message.kind === "events" ? [...message.events] : [],
    body: message.kind === "events" ? null : row.body,
  };
}
