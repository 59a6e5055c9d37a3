import { createRoute } from "@hono/zod-openapi";
import { NoQuerySchema } from "@tidemark/contract/answer-schema";
import { JobSchema } from "@tidemark/contract/job-schema";
import { PAGE_LIMIT_DEFAULT } from "@tidemark/contract/query-limits";
import { findJob, listJobs as readJobs } from "@tidemark/db/jobs";
import { Problem } from "@tidemark/http/problem";
import * as z from "zod";
import type { QueryApp } from "../../env.ts";
import { requires } from "../../plumbing/requires.ts";
import { failures, json, KEYED } from "../../plumbing/routes.ts";
import { toAnswer } from "./job.ts";

const one = createRoute({
  method: "get",
  path: "/v1/jobs/{id}",
  tags: ["Jobs"],
  summary: "Read a job",
  description: "How far it is, and what it found.",
  security: KEYED,
  middleware: requires("read"),
  request: { params: z.object({ id: z.string() }), query: NoQuerySchema },
  responses: { 200: json(JobSchema, "The job."), ...failures(404) },
});

export function readJob(app: QueryApp): void {
  app.openapi(one, async (context) => {
    const job = await findJob(context.env.DB, context.get("principal").project_id, context.req.valid("param").id);
    if (job === undefined)
      throw new Problem("not_found", "The project has no job with this id; GET /v1/jobs lists those it has.");
    return context.json(toAnswer(job), 200);
  });
}

const all = createRoute({
  method: "get",
  path: "/v1/jobs",
  tags: ["Jobs"],
  summary: "List jobs",
  description: `The latest ${PAGE_LIMIT_DEFAULT}, newest first.`,
  security: KEYED,
  middleware: requires("read"),
  request: { query: NoQuerySchema },
  responses: { 200: json(z.object({ data: z.array(JobSchema) }), "The jobs."), ...failures() },
});

export function listJobs(app: QueryApp): void {
  app.openapi(all, async (context) => {
    const jobs = await readJobs(context.env.DB, context.get("principal").project_id, PAGE_LIMIT_DEFAULT);
    return context.json({ data: jobs.map(toAnswer) }, 200);
  });
}
