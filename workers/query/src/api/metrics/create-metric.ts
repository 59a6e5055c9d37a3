import { createRoute } from "@hono/zod-openapi";
import { METRICS_MAX } from "@tidemark/contract";
import { type MetricInput, MetricInputSchema, MetricSchema } from "@tidemark/contract/metric-schema";
import { assignColors } from "@tidemark/core/segment-colors";
import { insertMetric, listSlugs, type MetricRow } from "@tidemark/db/metrics";
import { Problem } from "@tidemark/http/problem";
import type { QueryApp } from "../../env.ts";
import { IdempotencyHeaders, idempotent } from "../../plumbing/idempotent.ts";
import { jsonBody } from "../../plumbing/json-body.ts";
import { newId } from "../../plumbing/new-id.ts";
import { requires } from "../../plumbing/requires.ts";
import { body, failures, json, KEYED } from "../../plumbing/routes.ts";
import { chooseSlug, slugPrefix } from "./choose-slug.ts";
import { toMetric } from "./metric.ts";
import { slugTaken } from "./slug-taken.ts";

const route = createRoute({
  method: "post",
  path: "/v1/metrics",
  tags: ["Metrics"],
  summary: "Make a metric",
  description: "A metric counts the events that are received from now on; a backfill counts those before.",
  security: KEYED,
  middleware: [requires("admin"), jsonBody, idempotent()] as const,
  request: { headers: IdempotencyHeaders, body: body(MetricInputSchema) },
  responses: { 201: json(MetricSchema, "The metric."), ...failures(409, 413, 415) },
});

export function createMetric(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const { project_id } = context.get("principal");
    const row = await store(context.env.DB, project_id, context.req.valid("json"));
    return context.json(toMetric(row), 201);
  });
}

/** How often another request may take the slug that was just chosen. */
const ATTEMPTS = 5;

async function store(db: D1Database, projectId: string, input: MetricInput): Promise<MetricRow> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const row = toRow(
      projectId,
      input,
      input.slug ?? chooseSlug(input.name, await takenSlugs(db, projectId, input.name)),
    );
    const outcome = await insertMetric(db, row, METRICS_MAX);
    if (outcome === "inserted") return row;
    if (outcome === "too_many")
      throw new Problem("conflict", `The project has ${METRICS_MAX} metrics, the most a project can have.`);
    if (input.slug !== undefined) throw slugTaken("metric", input.slug);
  }
  throw new Problem("conflict", "Other requests took every slug that was tried; send again, or choose a slug.");
}

function toRow(projectId: string, input: MetricInput, slug: string): MetricRow {
  const now = Date.now();
  const definition = JSON.stringify({ ...input, slug, segments: assignColors(input.segments) });
  return {
    project_id: projectId,
    id: newId("met"),
    slug,
    version: 1,
    definition,
    created_at: now,
    updated_at: now,
    effective_from: now,
  };
}

/** Slugs looked at to find one that is free: ten for each metric that a project can have. */
const SLUGS_MAX = 10 * METRICS_MAX;

async function takenSlugs(db: D1Database, projectId: string, name: string): Promise<ReadonlySet<string>> {
  return new Set(await listSlugs(db, projectId, { prefix: slugPrefix(name), limit: SLUGS_MAX }));
}
