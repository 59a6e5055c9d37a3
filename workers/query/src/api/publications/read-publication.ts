import { createRoute } from "@hono/zod-openapi";
import { NoQuerySchema } from "@tidemark/contract/answer-schema";
import { PublicationSchema } from "@tidemark/contract/publication-schema";
import { findPublication } from "@tidemark/db/publications";
import * as z from "zod";
import type { QueryApp } from "../../env.ts";
import { requires } from "../../plumbing/requires.ts";
import { failures, json, KEYED } from "../../plumbing/routes.ts";
import { noSuchPublication, toPublication } from "./publication.ts";

const route = createRoute({
  method: "get",
  path: "/v1/publications/{id}",
  tags: ["Publications"],
  summary: "Read a publication",
  description: "What it shows and until when; without its link, which is not kept.",
  security: KEYED,
  middleware: requires("read"),
  request: { params: z.object({ id: z.string() }), query: NoQuerySchema },
  responses: { 200: json(PublicationSchema, "The publication."), ...failures(404) },
});

export function readPublication(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const { project_id } = context.get("principal");
    const row = await findPublication(context.env.DB, project_id, context.req.valid("param").id);
    if (row === undefined) throw noSuchPublication();
    return context.json(toPublication(row), 200);
  });
}
