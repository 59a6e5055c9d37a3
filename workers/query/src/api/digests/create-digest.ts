import { createRoute } from "@hono/zod-openapi";
import { type DigestInput, DigestInputSchema, DigestSchema } from "@tidemark/contract/digest-schema";
import { DIGESTS_MAX } from "@tidemark/contract/query-limits";
import { weeklyAfter } from "@tidemark/core/weekly";
import { type DigestRow, insertDigest } from "@tidemark/db/digests";
import { Problem } from "@tidemark/http/problem";
import type { QueryApp } from "../../env.ts";
import { IdempotencyHeaders, idempotent } from "../../plumbing/idempotent.ts";
import { jsonBody } from "../../plumbing/json-body.ts";
import { newId } from "../../plumbing/new-id.ts";
import { requires } from "../../plumbing/requires.ts";
import { body, failures, json, KEYED } from "../../plumbing/routes.ts";
import { requireProject } from "../../project.ts";
import { requireNamedMetric } from "../metrics/metric.ts";
import { requireNamedDestination, toDigest } from "./digest.ts";

const route = createRoute({
  method: "post",
  path: "/v1/digests",
  tags: ["Digests"],
  summary: "Make a digest",
  description:
    "Tells a destination every week what happened to a metric in the seven days before: in all, who grew by more than " +
    "30%, who dropped by more than 50%, who went quiet, and who is near a limit.",
  security: KEYED,
  middleware: [requires("admin"), jsonBody, idempotent()] as const,
  request: { headers: IdempotencyHeaders, body: body(DigestInputSchema) },
  responses: { 201: json(DigestSchema, "The digest."), ...failures(409, 413, 415) },
});

export function createDigest(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const row = await store(context.env.DB, context.get("principal").project_id, context.req.valid("json"));
    return context.json(toDigest(row), 201);
  });
}

async function store(db: D1Database, projectId: string, input: DigestInput): Promise<DigestRow> {
  const { name, destination_id, weekday, hour } = input;
  const [project, { id: metric_id, slug: metric }] = await Promise.all([
    requireProject(db, projectId),
    requireNamedMetric(db, projectId, input.metric),
    requireNamedDestination(db, projectId, destination_id),
  ]);
  const now = Date.now();
  const next_at = weeklyAfter(now, { weekday, hour }, project.time_zone);
  const row = {
    project_id: projectId,
    id: newId("dig"),
    name,
    metric_id,
    metric,
    destination_id,
    weekday,
    hour,
    next_at,
    try_at: next_at,
    last_error: null,
    created_at: now,
    updated_at: now,
  };
  if (!(await insertDigest(db, row, DIGESTS_MAX)))
    throw new Problem(
      "conflict",
      `There is no room for it: a project has at most ${DIGESTS_MAX} digests. Delete one that nobody reads.`,
    );
  return row;
}
