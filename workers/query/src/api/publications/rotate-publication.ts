import { createRoute } from "@hono/zod-openapi";
import { PublishedSchema } from "@tidemark/contract/publication-schema";
import { findPublication, type PublicationRow, rotatePublication as storeRotation } from "@tidemark/db/publications";
import { Problem } from "@tidemark/http/problem";
import * as z from "zod";
import type { QueryApp } from "../../env.ts";
import { IdempotencyHeaders, idempotent } from "../../plumbing/idempotent.ts";
import { requires } from "../../plumbing/requires.ts";
import { failures, json, KEYED } from "../../plumbing/routes.ts";
import { newPublicationKey, noSuchPublication, publicUrl, revokedPublication, toPublication } from "./publication.ts";

const shownOnce = idempotent(
  (id) =>
    `This request rotated publication ${id}; its link was shown then and is not kept. Rotate again, with a new Idempotency-Key, for another.`,
);

const route = createRoute({
  method: "post",
  path: "/v1/publications/{id}/rotate",
  tags: ["Publications"],
  summary: "Give a publication a new link",
  description: "The old link stops within ten seconds, everywhere.",
  security: KEYED,
  middleware: [requires("admin"), shownOnce] as const,
  request: { headers: IdempotencyHeaders, params: z.object({ id: z.string() }) },
  responses: { 200: json(PublishedSchema, "The publication with its new link."), ...failures(404, 409) },
});

export function rotatePublication(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const { DB } = context.env;
    const address = { project_id: context.get("principal").project_id, id: context.req.valid("param").id };
    const row = await findPublication(DB, address.project_id, address.id);
    if (row === undefined) throw noSuchPublication();
    const now = Date.now();
    checkOpen(row, now);
    const { key, key_hash } = await newPublicationKey();
    const rotated = await storeRotation(DB, address, { key_hash, rotated_at: now });
    if (!rotated) throw revokedPublication();
    const publication = toPublication({ ...row, rotated_at: now });
    return context.json({ ...publication, public_url: publicUrl(context.req.url, row.id, key) }, 200);
  });
}

/** A link that could not open anything is not made. */
function checkOpen(row: PublicationRow, now: number): void {
  if (row.revoked_at !== null) throw revokedPublication();
  if (row.expires_at !== null && row.expires_at <= now) {
    throw new Problem("conflict", "The publication has expired; publish again.");
  }
}
