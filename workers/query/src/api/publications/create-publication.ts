import { createRoute } from "@hono/zod-openapi";
import { PublicationInputSchema, PublishedSchema } from "@tidemark/contract/publication-schema";
import { parseTimestamp } from "@tidemark/core/timestamp";
import { findMetric } from "@tidemark/db/metrics";
import { insertPublication } from "@tidemark/db/publications";
import type { QueryApp } from "../../env.ts";
import { IdempotencyHeaders, idempotent } from "../../plumbing/idempotent.ts";
import { invalid } from "../../plumbing/issues.ts";
import { jsonBody } from "../../plumbing/json-body.ts";
import { newId } from "../../plumbing/new-id.ts";
import { requires } from "../../plumbing/requires.ts";
import { body, failures, json, KEYED } from "../../plumbing/routes.ts";
import { newPublicationKey, publicUrl, toPublication } from "./publication.ts";

const shownOnce = idempotent(
  (id) =>
    `This request made publication ${id}; its link was shown then and is not kept. POST /v1/publications/${id}/rotate makes a new one.`,
);

const route = createRoute({
  method: "post",
  path: "/v1/publications",
  tags: ["Publications"],
  summary: "Publish a report",
  description: "Makes a link that shows the report, always current, to whoever has it. The link is shown once.",
  security: KEYED,
  middleware: [requires("admin"), jsonBody, shownOnce] as const,
  request: { headers: IdempotencyHeaders, body: body(PublicationInputSchema) },
  responses: { 201: json(PublishedSchema, "The publication with its link."), ...failures(409, 413, 415) },
});

export function createPublication(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const { report, params, title, expires_at } = context.req.valid("json");
    const { project_id } = context.get("principal");
    const now = Date.now();
    const expiresAt = expires_at === null ? null : parseTimestamp(expires_at);
    if (expiresAt !== null && expiresAt <= now) {
      throw invalid([{ pointer: "/expires_at", code: "invalid_value", detail: "Must be in the future, or null." }]);
    }
    if ((await findMetric(context.env.DB, project_id, params.metric)) === undefined) {
      const detail = "Must be the slug of one of the project's metrics; GET /v1/metrics lists them.";
      throw invalid([{ pointer: "/params/metric", code: "unknown_metric", detail }]);
    }
    const { key, key_hash } = await newPublicationKey();
    const row = {
      id: newId("pub"),
      project_id,
      title,
      query: JSON.stringify({ report, params }),
      created_at: now,
      rotated_at: null,
      expires_at: expiresAt,
      revoked_at: null,
    };
    await insertPublication(context.env.DB, { ...row, key_hash });
    return context.json({ ...toPublication(row), public_url: publicUrl(context.req.url, row.id, key) }, 201);
  });
}
