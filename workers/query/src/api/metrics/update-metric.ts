import { createRoute } from "@hono/zod-openapi";
import { type MetricChange, MetricChangeSchema, MetricSchema } from "@tidemark/contract/metric-schema";
import { isLimitedPer, isPricedBySegment } from "@tidemark/db/definitions";
import { type MetricRow, updateMetric as storeMetric } from "@tidemark/db/metrics";
import { isPriced } from "@tidemark/db/products";
import { Problem } from "@tidemark/http/problem";
import * as z from "zod";
import type { QueryApp } from "../../env.ts";
import { jsonBody } from "../../plumbing/json-body.ts";
import { requires } from "../../plumbing/requires.ts";
import { body, failures, json, KEYED } from "../../plumbing/routes.ts";
import { applyChange } from "./apply-change.ts";
import { requireMetricRow, toDefinition, toMetric } from "./metric.ts";
import { slugTaken } from "./slug-taken.ts";

const route = createRoute({
  method: "patch",
  path: "/v1/metrics/{slug}",
  tags: ["Metrics"],
  summary: "Change a metric",
  description:
    "What is left out stays as it is; null is the default again. A change of what is counted is a new version, " +
    "which counts what happens from `effective_from` on: history keeps the version it was counted with.",
  security: KEYED,
  middleware: [requires("admin"), jsonBody] as const,
  request: { params: z.object({ slug: z.string() }), body: body(MetricChangeSchema) },
  responses: { 200: json(MetricSchema, "The metric as it is now."), ...failures(404, 409, 413, 415) },
});

export function updateMetric(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const address = { project_id: context.get("principal").project_id, slug: context.req.valid("param").slug };
    const row = await change(context.env.DB, address, context.req.valid("json"));
    return context.json(toMetric(row), 200);
  });
}

/** How often another request may change the metric that was just read. */
const ATTEMPTS = 5;

async function change(
  db: D1Database,
  address: { readonly project_id: string; readonly slug: string },
  wanted: MetricChange,
): Promise<MetricRow> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const previous = await requireMetricRow(db, address.project_id, address.slug);
    const next = applyChange(previous, wanted, Date.now());
    await Promise.all([keepPricedSegments(db, previous, next), keepLimitedLabels(db, previous, next)]);
    const outcome = await storeMetric(db, previous, next, `${next.id}.${next.version}`);
    if (outcome === "updated") return next;
    if (outcome === "slug_taken") throw slugTaken("metric", next.slug);
  }
  throw new Problem("conflict", "Other requests are changing this metric; read it and decide again.");
}

/**
 * Subscriptions know segments by their place: while one prices a segment, others can only be added behind. A
 * product knows those that it prices by their name.
 */
async function keepPricedSegments(db: D1Database, previous: MetricRow, next: MetricRow): Promise<void> {
  const { project_id, id } = next;
  const [before, after] = [segmentNames(previous), segmentNames(next)];
  if (before.every((name, index) => after[index] === name)) return;
  const gone = before.filter((name) => !after.includes(name));
  const isNeeded = await Promise.all([isPricedBySegment(db, project_id, id), isPriced(db, project_id, id, gone)]);
  if (!isNeeded.includes(true)) return;
  const detail =
    "Products or subscriptions price segments of this metric: these keep their names and order, and new ones come last.";
  throw new Problem("conflict", detail, { errors: [{ pointer: "/segments", code: "priced", detail }] });
}

function segmentNames({ definition }: MetricRow): readonly string[] {
  return toDefinition(definition).segments.map(({ name }) => name);
}

/** A limit per label would have nobody to count for: all usage would fall to the empty value. */
async function keepLimitedLabels(db: D1Database, previous: MetricRow, next: MetricRow): Promise<void> {
  const kept = new Set(toDefinition(next.definition).group_by);
  const dropped = toDefinition(previous.definition).group_by.filter((label) => !kept.has(label));
  if (dropped.length === 0 || !(await isLimitedPer(db, next.project_id, next.id, dropped))) return;
  const detail = `A customer has a limit per label, of ${dropped.join(" or ")}: keep the label, or end the limit first.`;
  throw new Problem("conflict", detail, { errors: [{ pointer: "/group_by", code: "limited", detail }] });
}
