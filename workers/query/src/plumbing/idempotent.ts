import {
  IDEMPOTENCY_KEY_LENGTH_MAX,
  IDEMPOTENT_ANSWER_MS,
  IDEMPOTENT_PROGRESS_MS,
} from "@tidemark/contract/query-limits";
import { type ClaimedAnswer, claimAnswer, dropClaim, storeAnswer } from "@tidemark/db/idempotency";
import { sha256 } from "@tidemark/http/digest";
import { Problem } from "@tidemark/http/problem";
import type { Context, MiddlewareHandler } from "hono";
import * as z from "zod";
import type { QueryAppEnv } from "../env.ts";
import { invalid } from "./issues.ts";

/** The header, for a route's description. */
export const IdempotencyHeaders = z.object({
  "idempotency-key": z
    .string()
    .optional()
    .describe("Makes sending again safe for 24 hours: the same key and request get the first answer again."),
});

/** What a repeat is told when the first answer held a secret, which is not kept. */
export type SecretHint = (id: string) => string;

/**
 * Gives a repeated request the answer of the first one. Only successes are kept: what failed may be tried
 * again. Answers with a secret are not kept at all; a repeat learns the id and, from `secret`, what to do.
 */
export function idempotent(secret?: SecretHint): MiddlewareHandler<QueryAppEnv> {
  return async (context, next) => {
    const key = context.req.header("idempotency-key");
    if (key === undefined) return next();
    if (key.length > IDEMPOTENCY_KEY_LENGTH_MAX || !/^[\x21-\x7e]+$/.test(key)) {
      const detail = `Must be 1 to ${IDEMPOTENCY_KEY_LENGTH_MAX} printable ASCII characters without spaces.`;
      throw invalid([{ pointer: "/Idempotency-Key", code: "invalid_value", detail }]);
    }
    const address = { project_id: context.get("principal").project_id, key };
    const claim = await claimAnswer(context.env.DB, address, {
      hash: await hashRequest(context),
      now: Date.now(),
      ages: { answerMs: IDEMPOTENT_ANSWER_MS, progressMs: IDEMPOTENT_PROGRESS_MS },
    });
    if (claim.kind === "first") {
      await next();
      await settle(context, claim.claimed, secret !== undefined);
      return;
    }
    if (claim.request_hash !== (await hashRequest(context))) {
      throw new Problem(
        "conflict",
        "This Idempotency-Key was used for another request; use a new key for each request.",
      );
    }
    if (claim.kind === "in_progress") {
      throw new Problem(
        "conflict",
        "The first request with this Idempotency-Key is still being worked on; ask again in a moment.",
        {
          headers: { "retry-after": "1" },
        },
      );
    }
    if (secret !== undefined) throw new Problem("conflict", secret(claim.body));
    return new Response(claim.body, {
      status: claim.status,
      headers: { "content-type": "application/json", "idempotent-replayed": "true" },
    });
  };
}

async function hashRequest(context: Context<QueryAppEnv>): Promise<string> {
  const { method, path } = context.req;
  return sha256(JSON.stringify([method, path, context.get("body_text") ?? ""]));
}

/** Keeps or lets go of the claim. The request is done either way, so a failure here must not undo its answer. */
async function settle(context: Context<QueryAppEnv>, claimed: ClaimedAnswer, isSecret: boolean): Promise<void> {
  const { res: answer, env } = context;
  try {
    if (!answer.ok) return await dropClaim(env.DB, claimed);
    const body = await answer.clone().text();
    await storeAnswer(env.DB, claimed, { status: answer.status, body: isSecret ? idOf(body) : body });
  } catch (error) {
    console.error(JSON.stringify({ at: "idempotent", request_id: context.get("request_id"), error: String(error) }));
  }
}

/** All that is kept of an answer with a secret. */
function idOf(body: string): string {
  return String((JSON.parse(body) as { readonly id: unknown }).id);
}
