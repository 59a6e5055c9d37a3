import { createRoute } from "@hono/zod-openapi";
import { deleteThreshold as storeDeletion } from "@tidemark/db/thresholds";
import * as z from "zod";
import type { QueryApp } from "../../env.ts";
import { requires } from "../../plumbing/requires.ts";
import { failures, KEYED } from "../../plumbing/routes.ts";
import { tellMeters } from "./tell-meters.ts";
import { requireThreshold } from "./threshold.ts";

const route = createRoute({
  method: "delete",
  path: "/v1/thresholds/{id}",
  tags: ["Thresholds"],
  summary: "Delete a threshold",
  description: "What it has told stays.",
  security: KEYED,
  middleware: requires("admin"),
  request: { params: z.object({ id: z.string() }) },
  responses: { 204: { description: "It is deleted." }, ...failures(404) },
});

export function deleteThreshold(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const { env } = context;
    const row = await requireThreshold(env.DB, context.get("principal").project_id, context.req.valid("param").id);
    await storeDeletion(env.DB, row);
    await tellMeters(env, row);
    return context.body(null, 204);
  });
}
