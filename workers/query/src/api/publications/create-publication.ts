import { createRoute } from "@hono/zod-openapi";
import {
  PublicationInputSchema,
  type PublicationQuestion,
  PublishedSchema,
} from "@tidemark/contract/publication-schema";
import { insertPublication } from "@tidemark/db/publications";
import { Problem } from "@tidemark/http/problem";
import type { QueryApp, QueryEnv } from "../../env.ts";
import { renderPublication } from "../../pages/render-publication.tsx";
import { IdempotencyHeaders, idempotent } from "../../plumbing/idempotent.ts";
import { invalid } from "../../plumbing/issues.ts";
import { jsonBody } from "../../plumbing/json-body.ts";
import { newId } from "../../plumbing/new-id.ts";
import { requires } from "../../plumbing/requires.ts";
import { body, failures, json, KEYED } from "../../plumbing/routes.ts";
import { answerQuestion } from "./answer-question.ts";
import { newPublicationKey, publicUrl, readExpiry, toPublication } from "./publication.ts";

const shownOnce = idempotent(
  (id) =>
    `This request made publication ${id}; its link was shown then and is not kept. POST /v1/publications/${id}/rotate makes a new one.`,
);

const route = createRoute({
  method: "post",
  path: "/v1/publications",
  tags: ["Publications"],
  summary: "Publish a report or a query",
  description:
    "Makes a link that shows a report, or a query, to whoever has it: always current, and nothing in its address " +
    "changes what it shows. The link is shown once. Beside the page are `.json`, `.csv` and `.svg`; " +
    "`embed=1` lets other pages frame it, and `theme` chooses its colours.",
  security: KEYED,
  middleware: [requires("admin"), jsonBody, shownOnce] as const,
  request: { headers: IdempotencyHeaders, body: body(PublicationInputSchema) },
  responses: { 201: json(PublishedSchema, "The publication with its link."), ...failures(409, 413, 415) },
});

export function createPublication(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const { question, title, expires_at, options } = context.req.valid("json");
    const { project_id } = context.get("principal");
    const now = Date.now();
    const expiresAt = readExpiry(expires_at, now);
    await tryQuestion(context.env, project_id, question);
    const { key, key_hash } = await newPublicationKey();
    const row = {
      id: newId("pub"),
      project_id,
      title,
      query: JSON.stringify({ ...question, options }),
      created_at: now,
      rotated_at: null,
      expires_at: expiresAt,
      revoked_at: null,
    };
    await insertPublication(context.env.DB, { ...row, key_hash });
    return context.json({ ...toPublication(row), public_url: publicUrl(context.req.url, row.id, key) }, 201);
  });
}

/**
 * Asks what is to be published once, and draws its page and chart, so that no link is made that could show nothing.
 * The answer is kept for the link's first reader.
 *
 * @throws Problem invalid_request, with the places in this body.
 */
async function tryQuestion(env: QueryEnv, projectId: string, question: PublicationQuestion): Promise<void> {
  try {
    const answer = await answerQuestion(env, projectId, question);
    for (const type of ["page", "svg"] as const) await renderPublication({ ...NOBODYS, answer }, type, PLAIN);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const prefix = "query" in question ? "/query" : "/params";
    if (error.code === "not_found") {
      throw invalid([{ pointer: `${prefix}/metric`, code: "unknown_metric", detail: error.message }]);
    }
    if (error.errors === undefined) throw error;
    throw invalid(error.errors.map((fault) => ({ ...fault, pointer: prefix + fault.pointer })));
  }
}

/** A link that is never given to anybody. */
const NOBODYS = { id: "", key: "", title: "" };
const PLAIN = { theme: "auto", embed: false } as const;
