import { createRoute } from "@hono/zod-openapi";
import { KeyInputSchema, NewKeySchema } from "@tidemark/contract/key-schema";
import { insertKey } from "@tidemark/db/keys";
import { generateKey, hashKey, type Scope } from "@tidemark/http/keys";
import type { QueryApp } from "../../env.ts";
import { IdempotencyHeaders, idempotent } from "../../plumbing/idempotent.ts";
import { jsonBody } from "../../plumbing/json-body.ts";
import { requires } from "../../plumbing/requires.ts";
import { body, failures, json, KEYED } from "../../plumbing/routes.ts";
import { toKey } from "./key.ts";

const shownOnce = idempotent(
  (id) =>
    `This request made key ${id}; it was shown then and is not kept. Make another with a new Idempotency-Key, and revoke this one with DELETE /v1/keys/${id}.`,
);

const route = createRoute({
  method: "post",
  path: "/v1/keys",
  tags: ["Keys"],
  summary: "Make a key",
  description: "The key is shown once. `admin` may do everything, `read` reads, `ingest` sends events.",
  security: KEYED,
  middleware: [requires("admin"), jsonBody, shownOnce] as const,
  request: { headers: IdempotencyHeaders, body: body(KeyInputSchema) },
  responses: { 201: json(NewKeySchema, "The key with its secret."), ...failures(409, 413, 415) },
});

export function createKey(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const { name, scopes } = context.req.valid("json");
    const { id, key } = generateKey(kindOf(scopes));
    const row = { id, name, scopes: scopes.join(" "), created_at: Date.now(), revoked_at: null };
    const hash = await hashKey(key, context.env.KEY_PEPPER);
    await insertKey(context.env.DB, { ...row, project_id: context.get("principal").project_id, hash });
    return context.json({ ...toKey(row), key }, 201);
  });
}

/** What the key calls itself: the scope that could do most harm. */
function kindOf(scopes: readonly Scope[]): Scope {
  return (["admin", "ingest", "read"] as const).find((scope) => scopes.includes(scope)) ?? "read";
}
