import { createRoute } from "@hono/zod-openapi";
import { findPublication, revokePublication as storeRevocation } from "@tidemark/db/publications";
import * as z from "zod";
import type { QueryApp } from "../../env.ts";
import { requires } from "../../plumbing/requires.ts";
import { failures, KEYED } from "../../plumbing/routes.ts";
import { noSuchPublication } from "./publication.ts";

const route = createRoute({
  method: "delete",
  path: "/v1/publications/{id}",
  tags: ["Publications"],
  summary: "Revoke a publication",
  description: "The link stops within ten seconds, everywhere and for good. Revoking again changes nothing.",
  security: KEYED,
  middleware: requires("admin"),
  request: { params: z.object({ id: z.string() }) },
  responses: { 204: { description: "It is revoked." }, ...failures(404) },
});

export function revokePublication(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const address = { project_id: context.get("principal").project_id, id: context.req.valid("param").id };
    const revoked = await storeRevocation(context.env.DB, address, Date.now());
    if (!revoked && (await findPublication(context.env.DB, address.project_id, address.id)) === undefined) {
      throw noSuchPublication();
    }
    return context.body(null, 204);
  });
}
