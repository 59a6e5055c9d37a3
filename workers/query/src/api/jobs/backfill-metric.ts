import { createRoute } from "@hono/zod-openapi";
import { type BackfillInput, BackfillInputSchema, JobSchema } from "@tidemark/contract/job-schema";
import { dayOf } from "@tidemark/core/timestamp";
import { type MetricVersionRow, readVersions } from "@tidemark/db/metric-versions";
import * as z from "zod";
import type { QueryApp } from "../../env.ts";
import { IdempotencyHeaders, idempotent } from "../../plumbing/idempotent.ts";
import { jsonBody } from "../../plumbing/json-body.ts";
import { requires } from "../../plumbing/requires.ts";
import { body, failures, json, KEYED } from "../../plumbing/routes.ts";
import { requireMetricRow } from "../metrics/metric.ts";
import { beginJob, type NewJob } from "./begin-job.ts";
import { readDays, refused, startOfDay, toAnswer } from "./job.ts";

const route = createRoute({
  method: "post",
  path: "/v1/metrics/{slug}/backfill",
  tags: ["Jobs"],
  summary: "Count a metric in the past",
  description:
    "Computes the metric's current version over the archive of raw events, as if it had been defined before. " +
    "Events that arrive meanwhile count once; doing it again changes nothing.",
  security: KEYED,
  middleware: [requires("admin"), jsonBody, idempotent()] as const,
  request: { headers: IdempotencyHeaders, params: z.object({ slug: z.string() }), body: body(BackfillInputSchema) },
  responses: { 202: json(JobSchema, "It has begun."), ...failures(404, 409, 413, 415) },
});

export function backfillMetric(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const { DB } = context.env;
    const { project_id } = context.get("principal");
    const metric = await requireMetricRow(DB, project_id, context.req.valid("param").slug);
    const version = (await readVersions(DB, project_id, [metric.id])).at(-1);
    if (version === undefined) throw new Error("A metric has a version.");
    const now = Date.now();
    const job = toJob({ project_id, slug: metric.slug }, version, context.req.valid("json"), now);
    return context.json(toAnswer(await beginJob(context.env, job, now)), 202);
  });
}

function toJob(
  { project_id, slug }: { readonly project_id: string; readonly slug: string },
  { metric_id, version, effective_from, counts_from }: MetricVersionRow,
  input: BackfillInput,
  now: number,
): NewJob {
  const { from_day, to_day } = readDays(input, now);
  const reaches = version === 1 || to_day >= Math.min(dayOf(effective_from), dayOf(now));
  if (!reaches)
    throw refused("/to", "Must reach the day from which this version counts, or there would be a gap: leave it out.");
  const chosen = input.effective_from === undefined ? null : Date.parse(input.effective_from);
  if (chosen !== null && chosen < startOfDay(from_day)) throw refused("/effective_from", "Must not be before `from`.");
  return {
    project_id,
    kind: "backfill",
    params: {
      metric: { id: metric_id, slug, version },
      customer_id: null,
      from_day,
      to_day,
      // What a later version counts anew, limits have counted by the one before.
      limits_from: version === 1 ? chosen : null,
    },
    span: {
      metric_id,
      version,
      from: startOfDay(from_day),
      // It takes over without a gap, also if it takes effect later than that.
      until: Math.max(startOfDay(to_day + 1), counts_from ?? 0),
      effective_from: chosen,
    },
  };
}
