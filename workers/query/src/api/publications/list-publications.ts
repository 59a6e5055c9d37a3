import { createRoute } from "@hono/zod-openapi";
import { PageQuerySchema, pageOf } from "@tidemark/contract/answer-schema";
import { PublicationSchema } from "@tidemark/contract/publication-schema";
import { listPublications as readPublications } from "@tidemark/db/publications";
import type { QueryApp } from "../../env.ts";
import { readAgeCursor, toPage } from "../../plumbing/cursor.ts";
import { requires } from "../../plumbing/requires.ts";
import { failures, json, KEYED } from "../../plumbing/routes.ts";
import { toPublication } from "./publication.ts";

const LIST = "publications";

const route = createRoute({
  method: "get",
  path: "/v1/publications",
  tags: ["Publications"],
  summary: "List publications",
  description: "Newest first, revoked ones included; without their links, which are not kept.",
  security: KEYED,
  middleware: requires("read"),
  request: { query: PageQuerySchema },
  responses: { 200: json(pageOf(PublicationSchema), "A page of publications."), ...failures() },
});

export function listPublications(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const { limit, cursor } = context.req.valid("query");
    const before = readAgeCursor(cursor, LIST);
    const { project_id } = context.get("principal");
    const rows = await readPublications(context.env.DB, project_id, { before, limit: limit + 1 });
    const page = toPage(rows, limit, LIST, ({ created_at, id }) => [created_at, id]);
    return context.json({ data: page.rows.map(toPublication), next_cursor: page.next_cursor }, 200);
  });
}
