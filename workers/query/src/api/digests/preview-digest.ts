import { createRoute } from "@hono/zod-openapi";
import { NoQuerySchema } from "@tidemark/contract/answer-schema";
import { DigestBodySchema } from "@tidemark/contract/digest-schema";
import * as z from "zod";
import { digestBody } from "../../digest-body.ts";
import type { QueryApp } from "../../env.ts";
import { requires } from "../../plumbing/requires.ts";
import { failures, json, KEYED } from "../../plumbing/routes.ts";
import { requireProject } from "../../project.ts";
import { requireMetric } from "../metrics/metric.ts";
import { requireDigest } from "./digest.ts";

const route = createRoute({
  method: "post",
  path: "/v1/digests/{id}/preview",
  tags: ["Digests"],
  summary: "Preview a digest",
  description: "What it would say if it was due now. Nothing is sent.",
  security: KEYED,
  middleware: requires("read"),
  request: { params: z.object({ id: z.string() }), query: NoQuerySchema },
  responses: { 200: json(DigestBodySchema, "The digest."), ...failures(404, 409) },
});

export function previewDigest(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const { env } = context;
    const { project_id } = context.get("principal");
    const [project, digest] = await Promise.all([
      requireProject(env.DB, project_id),
      requireDigest(env.DB, project_id, context.req.valid("param").id),
    ]);
    const metric = await requireMetric(env.DB, project_id, digest.metric);
    return context.json(await digestBody(env, { project, metric, digest }, Date.now()), 200);
  });
}
