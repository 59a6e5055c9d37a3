import { createRoute } from "@hono/zod-openapi";
import { findKey } from "@tidemark/db/find-key";
import { revokeKey as storeRevocation } from "@tidemark/db/keys";
import { Problem } from "@tidemark/http/problem";
import * as z from "zod";
import type { QueryApp } from "../../env.ts";
import { requires } from "../../plumbing/requires.ts";
import { failures, KEYED } from "../../plumbing/routes.ts";

const route = createRoute({
  method: "delete",
  path: "/v1/keys/{id}",
  tags: ["Keys"],
  summary: "Revoke a key",
  description: "It stops within 10 seconds, everywhere and for good. Revoking again changes nothing.",
  security: KEYED,
  middleware: requires("admin"),
  request: { params: z.object({ id: z.string() }) },
  responses: { 204: { description: "It is revoked." }, ...failures(404) },
});

export function revokeKey(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const { id } = context.req.valid("param");
    const { project_id } = context.get("principal");
    const revoked = await storeRevocation(context.env.DB, project_id, id, Date.now());
    if (!revoked && (await findKey(context.env.DB, id))?.project_id !== project_id) {
      throw new Problem("not_found", "The project has no key with this id; GET /v1/keys lists those it has.");
    }
    return context.body(null, 204);
  });
}
