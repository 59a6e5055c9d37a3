import { createRoute } from "@hono/zod-openapi";
import { NoQuerySchema, PageQuerySchema, pageOf } from "@tidemark/contract/answer-schema";
import { DigestSchema } from "@tidemark/contract/digest-schema";
import { listDigests as listRows } from "@tidemark/db/digests";
import * as z from "zod";
import type { QueryApp } from "../../env.ts";
import { readCursor, toPage } from "../../plumbing/cursor.ts";
import { requires } from "../../plumbing/requires.ts";
import { failures, json, KEYED } from "../../plumbing/routes.ts";
import { requireDigest, toDigest } from "./digest.ts";

const LIST = "digests";

const listRoute = createRoute({
  method: "get",
  path: "/v1/digests",
  tags: ["Digests"],
  summary: "List digests",
  description: "By id.",
  security: KEYED,
  middleware: requires("read"),
  request: { query: PageQuerySchema },
  responses: { 200: json(pageOf(DigestSchema), "A page of digests."), ...failures() },
});

const readRoute = createRoute({
  method: "get",
  path: "/v1/digests/{id}",
  tags: ["Digests"],
  summary: "Read a digest",
  security: KEYED,
  middleware: requires("read"),
  request: { params: z.object({ id: z.string() }), query: NoQuerySchema },
  responses: { 200: json(DigestSchema, "The digest."), ...failures(404) },
});

export function listDigests(app: QueryApp): void {
  app.openapi(listRoute, async (context) => {
    const { limit, cursor } = context.req.valid("query");
    const after = readCursor(cursor, LIST, ["string"])?.[0]?.toString();
    const rows = await listRows(context.env.DB, context.get("principal").project_id, { after, limit: limit + 1 });
    const page = toPage(rows, limit, LIST, ({ id }) => [id]);
    return context.json({ data: page.rows.map(toDigest), next_cursor: page.next_cursor }, 200);
  });
}

export function readDigest(app: QueryApp): void {
  app.openapi(readRoute, async (context) => {
    const { project_id } = context.get("principal");
    const row = await requireDigest(context.env.DB, project_id, context.req.valid("param").id);
    return context.json(toDigest(row), 200);
  });
}
