import { createRoute } from "@hono/zod-openapi";
import { deleteDigest as storeDeletion } from "@tidemark/db/digests";
import * as z from "zod";
import type { QueryApp } from "../../env.ts";
import { requires } from "../../plumbing/requires.ts";
import { failures, KEYED } from "../../plumbing/routes.ts";
import { noSuchDigest } from "./digest.ts";

const route = createRoute({
  method: "delete",
  path: "/v1/digests/{id}",
  tags: ["Digests"],
  summary: "Delete a digest",
  description: "What it has told stays.",
  security: KEYED,
  middleware: requires("admin"),
  request: { params: z.object({ id: z.string() }) },
  responses: { 204: { description: "It is deleted." }, ...failures(404) },
});

export function deleteDigest(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const { project_id } = context.get("principal");
    const { id } = context.req.valid("param");
    if (!(await storeDeletion(context.env.DB, { project_id, id }))) throw noSuchDigest();
    return context.body(null, 204);
  });
}
