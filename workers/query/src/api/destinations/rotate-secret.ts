import { createRoute } from "@hono/zod-openapi";
import { SIGNING_SECRETS_MAX } from "@tidemark/contract";
import { NewDestinationSchema, RotationInputSchema } from "@tidemark/contract/destination-schema";
import type { SigningSecret } from "@tidemark/contract/signing-secret";
import { replaceSecrets } from "@tidemark/db/destinations";
import { Problem } from "@tidemark/http/problem";
import type { MiddlewareHandler } from "hono";
import * as z from "zod";
import type { QueryApp, QueryAppEnv } from "../../env.ts";
import { IdempotencyHeaders, idempotent } from "../../plumbing/idempotent.ts";
import { jsonBody } from "../../plumbing/json-body.ts";
import { requires } from "../../plumbing/requires.ts";
import { body, failures, json, KEYED } from "../../plumbing/routes.ts";
import { requireDestination, toDestination } from "./destination.ts";
import { newSecret, sealSecrets, unsealSecrets } from "./secrets.ts";

const shownOnce = idempotent(
  (id) =>
    `This request gave destination ${id} a new secret; it was shown then and is not shown again. Rotate again, with a new Idempotency-Key, for another.`,
);

/** Whoever sends no body wants the defaults. */
const bodyOrNone: MiddlewareHandler<QueryAppEnv> = async (context, next) => {
  const { raw } = context.req;
  if (raw.body !== null) return jsonBody(context, next);
  const headers = new Headers(raw.headers);
  headers.set("content-type", "application/json");
  context.req.raw = new Request(raw.url, { method: raw.method, headers, body: "{}" });
  return next();
};

const route = createRoute({
  method: "post",
  path: "/v1/destinations/{id}/rotate",
  tags: ["Destinations"],
  summary: "Give a webhook a new secret",
  description:
    "The new secret signs at once. The old one signs along for a day, or as long as the request says, so that the receiver " +
    "can change over: until then each post has a signature of both.",
  security: KEYED,
  middleware: [requires("admin"), bodyOrNone, shownOnce] as const,
  request: {
    headers: IdempotencyHeaders,
    params: z.object({ id: z.string() }),
    body: { ...body(RotationInputSchema), required: false },
  },
  responses: {
    200: json(NewDestinationSchema, "The destination with its new secret."),
    ...failures(404, 409, 413, 415),
  },
});

export function rotateSecret(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const { DB, KEY_PEPPER } = context.env;
    const address = { project_id: context.get("principal").project_id, id: context.req.valid("param").id };
    const { expires_in_seconds } = context.req.valid("json");
    const row = await requireDestination(DB, address);
    if (row.secrets === null)
      throw new Problem("conflict", "Slack verifies nothing, so there is no secret; only webhooks have one.");
    const now = Date.now();
    const made = newSecret();
    const old = endSoon(await unsealSecrets(row.secrets, KEY_PEPPER, address), now, now + expires_in_seconds * 1_000);
    const change = { secrets: await sealSecrets([made, ...old], KEY_PEPPER, address), updated_at: now };
    if (!(await replaceSecrets(DB, row, change)))
      throw new Problem(
        "conflict",
        "Another request has just rotated the secret; verify with that one, or rotate again.",
      );
    return context.json({ ...toDestination({ ...row, ...change }), secret: made.secret }, 200);
  });
}

/** Old secrets that still sign until an instant: the newest of them, and none for longer than was said before. */
function endSoon(secrets: readonly SigningSecret[], now: number, until: number): readonly SigningSecret[] {
  return secrets
    .map(({ secret, expires_at }) => ({ secret, expires_at: Math.min(expires_at ?? until, until) }))
    .filter(({ expires_at }) => expires_at > now)
    .slice(0, SIGNING_SECRETS_MAX - 1);
}
