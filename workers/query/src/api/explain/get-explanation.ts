import { createRoute } from "@hono/zod-openapi";
import { ExplainQuerySchema, ExplanationSchema } from "@tidemark/contract/explain-schema";
import * as z from "zod";
import type { QueryApp } from "../../env.ts";
import { requires } from "../../plumbing/requires.ts";
import { failures, json, KEYED } from "../../plumbing/routes.ts";
import { readInstant } from "../definitions/schedule.ts";
import { answerExplanation } from "./answer-explanation.ts";

const route = createRoute({
  method: "get",
  path: "/v1/customers/{id}/explain",
  tags: ["Quotas"],
  summary: "Why a decision was what it was",
  description:
    "What is counted by which rules, where the balances stand and what they are made of, and the remembered decisions, each " +
    "with who paid and the reason in words: live from the customer's meter.",
  security: KEYED,
  middleware: requires("read"),
  request: { params: z.object({ id: z.string() }), query: ExplainQuerySchema },
  responses: { 200: json(ExplanationSchema, "The explanation."), ...failures(404) },
});

export function getExplanation(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const address = { project_id: context.get("principal").project_id, customer_id: context.req.valid("param").id };
    const { metric, at, id = null } = context.req.valid("query");
    const until = at === undefined ? Date.now() : readInstant(at, "/at");
    return context.json(await answerExplanation(context.env, address, { metric, until, id }), 200);
  });
}
