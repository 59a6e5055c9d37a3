import { createRoute } from "@hono/zod-openapi";
import { DESTINATIONS_MAX } from "@tidemark/contract";
import { DestinationInputSchema, NewDestinationSchema } from "@tidemark/contract/destination-schema";
import { insertDestination } from "@tidemark/db/destinations";
import { Problem } from "@tidemark/http/problem";
import type { QueryApp } from "../../env.ts";
import { IdempotencyHeaders, idempotent } from "../../plumbing/idempotent.ts";
import { jsonBody } from "../../plumbing/json-body.ts";
import { newId } from "../../plumbing/new-id.ts";
import { requires } from "../../plumbing/requires.ts";
import { body, failures, json, KEYED } from "../../plumbing/routes.ts";
import { sealAddress, toDestination } from "./destination.ts";
import { newSecret, sealSecrets } from "./secrets.ts";

const shownOnce = idempotent(
  (id) =>
    `This request made destination ${id}; its secret was shown then and is not shown again. POST /v1/destinations/${id}/rotate makes a new one.`,
);

const route = createRoute({
  method: "post",
  path: "/v1/destinations",
  tags: ["Destinations"],
  summary: "Make a destination",
  description:
    "Where notices go: a webhook, or a channel of Slack. They go there from now on. A webhook's secret is shown once; " +
    "the address is kept sealed.",
  security: KEYED,
  middleware: [requires("admin"), jsonBody, shownOnce] as const,
  request: { headers: IdempotencyHeaders, body: body(DestinationInputSchema) },
  responses: { 201: json(NewDestinationSchema, "The destination with its secret."), ...failures(409, 413, 415) },
});

export function createDestination(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const { env } = context;
    const { kind, name, url: text, wants } = context.req.valid("json");
    const address = { project_id: context.get("principal").project_id, id: newId("dst") };
    const secret = kind === "webhook" ? newSecret() : null;
    const now = Date.now();
    const row = {
      ...address,
      kind,
      name,
      ...(await sealAddress(env, { ...address, kind }, { text, requestUrl: context.req.url })),
      secrets: secret === null ? null : await sealSecrets([secret], env.KEY_PEPPER, address),
      wants: wants === null ? null : JSON.stringify(wants),
      next_at: 0,
      failing_since: null,
      disabled_at: null,
      disabled_reason: null,
      enabled_at: now,
      created_at: now,
      updated_at: now,
    };
    if (!(await insertDestination(env.DB, row, DESTINATIONS_MAX)))
      throw new Problem("conflict", `A project has at most ${DESTINATIONS_MAX} destinations; delete one first.`);
    return context.json({ ...toDestination(row), secret: secret?.secret ?? null }, 201);
  });
}
