import { createRoute } from "@hono/zod-openapi";
import { METRIC_THRESHOLDS_MAX, THRESHOLDS_MAX } from "@tidemark/contract";
import { type ThresholdInput, ThresholdInputSchema, ThresholdSchema } from "@tidemark/contract/threshold-schema";
import { toExactJson } from "@tidemark/core/exact-json";
import type { ThresholdDefinition } from "@tidemark/db/metered";
import { insertThreshold, type ThresholdRow } from "@tidemark/db/thresholds";
import { Problem } from "@tidemark/http/problem";
import type { QueryApp } from "../../env.ts";
import { IdempotencyHeaders, idempotent } from "../../plumbing/idempotent.ts";
import { jsonBody } from "../../plumbing/json-body.ts";
import { newId } from "../../plumbing/new-id.ts";
import { requires } from "../../plumbing/requires.ts";
import { body, failures, json, KEYED } from "../../plumbing/routes.ts";
import { requireNamedMetric } from "../metrics/metric.ts";
import { tellMeters } from "./tell-meters.ts";
import { checkSegment, readHysteresis, readLine, toThreshold } from "./threshold.ts";

const route = createRoute({
  method: "post",
  path: "/v1/thresholds",
  tags: ["Thresholds"],
  summary: "Make a threshold",
  description:
    "Tells when a customer's usage comes to a line, once in each cycle or each time; it never stops anything. The cycle is " +
    "that of the customer's allowance or subscription; where there is none, the metric's default interval, one after the " +
    "other, and a line in per cent is never reached. GET /v1/notices lists what was crossed, and destinations are told. " +
    "A line that usage is beyond already when it is drawn is crossed in the next cycle.",
  security: KEYED,
  middleware: [requires("admin"), jsonBody, idempotent()] as const,
  request: { headers: IdempotencyHeaders, body: body(ThresholdInputSchema) },
  responses: { 201: json(ThresholdSchema, "The threshold."), ...failures(409, 413, 415) },
});

export function createThreshold(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const { env } = context;
    const row = await store(env.DB, context.get("principal").project_id, context.req.valid("json"));
    await tellMeters(env, row);
    return context.json(toThreshold(row), 201);
  });
}

const LIMITS = { metricMax: METRIC_THRESHOLDS_MAX, projectMax: THRESHOLDS_MAX };

async function store(
  db: D1Database,
  projectId: string,
  { metric: slug, name, operator, customer_id, segment, repeat, ...wanted }: ThresholdInput,
): Promise<ThresholdRow> {
  const named = await requireNamedMetric(db, projectId, slug);
  const { id: metric_id, slug: metric, decimal_places } = named;
  checkSegment(segment, named);
  const line = readLine(wanted, decimal_places);
  if (line === undefined) throw new Error("The schema lets no threshold through without a line.");
  const hysteresis = readHysteresis(wanted.hysteresis, line, decimal_places);
  const now = Date.now();
  const row = {
    project_id: projectId,
    id: newId("thr"),
    metric_id,
    customer_id,
    version: 1,
    definition: toExactJson({ name, operator, line, segment, repeat, hysteresis } satisfies ThresholdDefinition),
    created_at: now,
    updated_at: now,
  };
  if (!(await insertThreshold(db, row, LIMITS)))
    throw new Problem(
      "conflict",
      `There is no room for it: a metric has at most ${METRIC_THRESHOLDS_MAX} thresholds for all customers, and as many for one, and a project ${THRESHOLDS_MAX}.`,
    );
  return { ...row, metric, decimal_places };
}
