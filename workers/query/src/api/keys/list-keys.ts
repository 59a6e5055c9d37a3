import { createRoute } from "@hono/zod-openapi";
import { PageQuerySchema, pageOf } from "@tidemark/contract/answer-schema";
import { KeySchema } from "@tidemark/contract/key-schema";
import { listKeys as readKeys } from "@tidemark/db/keys";
import type { QueryApp } from "../../env.ts";
import { readAgeCursor, toPage } from "../../plumbing/cursor.ts";
import { requires } from "../../plumbing/requires.ts";
import { failures, json, KEYED } from "../../plumbing/routes.ts";
import { toKey } from "./key.ts";

const LIST = "keys";

const route = createRoute({
  method: "get",
  path: "/v1/keys",
  tags: ["Keys"],
  summary: "List keys",
  description: "Newest first, revoked ones included; without their secrets, which are not kept.",
  security: KEYED,
  middleware: requires("admin"),
  request: { query: PageQuerySchema },
  responses: { 200: json(pageOf(KeySchema), "A page of keys."), ...failures() },
});

export function listKeys(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const { limit, cursor } = context.req.valid("query");
    const before = readAgeCursor(cursor, LIST);
    const { project_id } = context.get("principal");
    const rows = await readKeys(context.env.DB, project_id, { before, limit: limit + 1 });
    const page = toPage(rows, limit, LIST, ({ created_at, id }) => [created_at, id]);
    return context.json({ data: page.rows.map(toKey), next_cursor: page.next_cursor }, 200);
  });
}
