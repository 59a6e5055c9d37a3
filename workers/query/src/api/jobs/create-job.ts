import { createRoute } from "@hono/zod-openapi";
import { JobInputSchema, JobSchema } from "@tidemark/contract/job-schema";
import type { QueryApp } from "../../env.ts";
import { IdempotencyHeaders, idempotent } from "../../plumbing/idempotent.ts";
import { jsonBody } from "../../plumbing/json-body.ts";
import { requires } from "../../plumbing/requires.ts";
import { body, failures, json, KEYED } from "../../plumbing/routes.ts";
import { beginJob } from "./begin-job.ts";
import { readDays, toAnswer } from "./job.ts";

const route = createRoute({
  method: "post",
  path: "/v1/jobs",
  tags: ["Jobs"],
  summary: "Rebuild or verify",
  description:
    "Recounts from the archive of raw events, for a customer or the whole project. `verify` compares archive, meters " +
    "and database and lists what differs; `rebuild` puts meters and database right. Counting goes on meanwhile.",
  security: KEYED,
  middleware: [requires("admin"), jsonBody, idempotent()] as const,
  request: { headers: IdempotencyHeaders, body: body(JobInputSchema) },
  responses: { 202: json(JobSchema, "It has begun."), ...failures(409, 413, 415) },
});

export function createJob(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const { kind, customer_id = null, ...range } = context.req.valid("json");
    const { project_id } = context.get("principal");
    const now = Date.now();
    const params = { metric: null, customer_id, ...readDays(range, now) };
    return context.json(toAnswer(await beginJob(context.env, { project_id, kind, params, span: null }, now)), 202);
  });
}
