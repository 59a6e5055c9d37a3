import { createRoute } from "@hono/zod-openapi";
import { NoQuerySchema, PageQuerySchema, pageOf } from "@tidemark/contract/answer-schema";
import { DestinationSchema } from "@tidemark/contract/destination-schema";
import { listDestinations as listRows } from "@tidemark/db/destinations";
import * as z from "zod";
import type { QueryApp } from "../../env.ts";
import { readCursor, toPage } from "../../plumbing/cursor.ts";
import { requires } from "../../plumbing/requires.ts";
import { failures, json, KEYED } from "../../plumbing/routes.ts";
import { requireDestination, toDestination } from "./destination.ts";

const LIST = "destinations";

const listRoute = createRoute({
  method: "get",
  path: "/v1/destinations",
  tags: ["Destinations"],
  summary: "List destinations",
  description: "By id; without secrets, and without what may be secret in their addresses.",
  security: KEYED,
  middleware: requires("read"),
  request: { query: PageQuerySchema },
  responses: { 200: json(pageOf(DestinationSchema), "A page of destinations."), ...failures() },
});

const readRoute = createRoute({
  method: "get",
  path: "/v1/destinations/{id}",
  tags: ["Destinations"],
  summary: "Read a destination",
  security: KEYED,
  middleware: requires("read"),
  request: { params: z.object({ id: z.string() }), query: NoQuerySchema },
  responses: { 200: json(DestinationSchema, "The destination."), ...failures(404) },
});

export function listDestinations(app: QueryApp): void {
  app.openapi(listRoute, async (context) => {
    const { limit, cursor } = context.req.valid("query");
    const after = readCursor(cursor, LIST, ["string"])?.[0]?.toString();
    const rows = await listRows(context.env.DB, context.get("principal").project_id, { after, limit: limit + 1 });
    const page = toPage(rows, limit, LIST, ({ id }) => [id]);
    return context.json({ data: page.rows.map(toDestination), next_cursor: page.next_cursor }, 200);
  });
}

export function readDestination(app: QueryApp): void {
  app.openapi(readRoute, async (context) => {
    const { project_id } = context.get("principal");
    const row = await requireDestination(context.env.DB, { project_id, id: context.req.valid("param").id });
    return context.json(toDestination(row), 200);
  });
}
