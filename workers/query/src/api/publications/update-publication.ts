import { createRoute } from "@hono/zod-openapi";
import { PublicationChangeSchema, PublicationSchema } from "@tidemark/contract/publication-schema";
import { findPublication, updatePublication as storeChange } from "@tidemark/db/publications";
import * as z from "zod";
import type { QueryApp } from "../../env.ts";
import { jsonBody } from "../../plumbing/json-body.ts";
import { requires } from "../../plumbing/requires.ts";
import { body, failures, json, KEYED } from "../../plumbing/routes.ts";
import { noSuchPublication, readExpiry, revokedPublication, toPublication } from "./publication.ts";

const route = createRoute({
  method: "patch",
  path: "/v1/publications/{id}",
  tags: ["Publications"],
  summary: "Change a publication",
  description:
    "Its title, or when its link stops; an expired link opens again when that is put off. " +
    "What it shows is frozen: publish another for that.",
  security: KEYED,
  middleware: [requires("admin"), jsonBody] as const,
  request: { params: z.object({ id: z.string() }), body: body(PublicationChangeSchema) },
  responses: { 200: json(PublicationSchema, "The publication as it is now."), ...failures(404, 409, 413, 415) },
});

export function updatePublication(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const { DB } = context.env;
    const { title, expires_at } = context.req.valid("json");
    const address = { project_id: context.get("principal").project_id, id: context.req.valid("param").id };
    const row = await findPublication(DB, address.project_id, address.id);
    if (row === undefined) throw noSuchPublication();
    const changed = {
      title: title ?? row.title,
      expires_at: expires_at === undefined ? row.expires_at : readExpiry(expires_at, Date.now()),
    };
    if (!(await storeChange(DB, address, changed))) throw revokedPublication();
    return context.json(toPublication({ ...row, ...changed }), 200);
  });
}
