import { createRoute } from "@hono/zod-openapi";
import { endAllOf } from "@tidemark/db/attempts";
import { deleteDestination as storeDeletion } from "@tidemark/db/destinations";
import { Problem } from "@tidemark/http/problem";
import * as z from "zod";
import type { QueryApp } from "../../env.ts";
import { requires } from "../../plumbing/requires.ts";
import { failures, KEYED } from "../../plumbing/routes.ts";
import { noSuchDestination } from "./destination.ts";

const route = createRoute({
  method: "delete",
  path: "/v1/destinations/{id}",
  tags: ["Destinations"],
  summary: "Delete a destination",
  description: "What waits for it is not sent any more. One that a digest goes to cannot be deleted.",
  security: KEYED,
  middleware: requires("admin"),
  request: { params: z.object({ id: z.string() }) },
  responses: { 204: { description: "It is deleted." }, ...failures(404, 409) },
});

export function deleteDestination(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const address = { project_id: context.get("principal").project_id, id: context.req.valid("param").id };
    const { DB } = context.env;
    const outcome = await storeDeletion(DB, address);
    if (outcome === "missing") throw noSuchDestination();
    if (outcome === "used")
      throw new Problem("conflict", "A digest goes there; delete it, or give it another destination, first.");
    await endAllOf(DB, address, Date.now()).run();
    return context.body(null, 204);
  });
}
