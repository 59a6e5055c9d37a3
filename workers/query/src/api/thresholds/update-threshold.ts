import { createRoute } from "@hono/zod-openapi";
import { type ThresholdChange, ThresholdChangeSchema, ThresholdSchema } from "@tidemark/contract/threshold-schema";
import { formatExact } from "@tidemark/core/exact";
import { toExactJson } from "@tidemark/core/exact-json";
import type { ThresholdDefinition } from "@tidemark/db/metered";
import { type ThresholdRow, updateThreshold as storeThreshold } from "@tidemark/db/thresholds";
import { Problem } from "@tidemark/http/problem";
import * as z from "zod";
import type { QueryApp } from "../../env.ts";
import { jsonBody } from "../../plumbing/json-body.ts";
import { requires } from "../../plumbing/requires.ts";
import { body, failures, json, KEYED } from "../../plumbing/routes.ts";
import { requireMetric } from "../metrics/metric.ts";
import { tellMeters } from "./tell-meters.ts";
import { checkSegment, readHysteresis, readLine, requireThreshold, toDefinition, toThreshold } from "./threshold.ts";

const route = createRoute({
  method: "patch",
  path: "/v1/thresholds/{id}",
  tags: ["Thresholds"],
  summary: "Change a threshold",
  description:
    "What is left out stays as it is; its metric and customer stay in any case. It can be crossed once more.",
  security: KEYED,
  middleware: [requires("admin"), jsonBody] as const,
  request: { params: z.object({ id: z.string() }), body: body(ThresholdChangeSchema) },
  responses: { 200: json(ThresholdSchema, "The threshold as it is now."), ...failures(404, 409, 413, 415) },
});

export function updateThreshold(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const { env } = context;
    const { project_id } = context.get("principal");
    const row = await change(env.DB, { project_id, id: context.req.valid("param").id }, context.req.valid("json"));
    await tellMeters(env, row);
    return context.json(toThreshold(row), 200);
  });
}

/** What a change makes of a definition. How far back is said in what the line is in, so another kind of line begins at 0. */
function apply(before: ThresholdDefinition, wanted: ThresholdChange, places: number): ThresholdDefinition {
  const line = readLine(wanted, places) ?? before.line;
  const isSameKind = "units" in line === "units" in before.line;
  const kept = isSameKind ? before.hysteresis : 0;
  return {
    name: wanted.name === undefined ? before.name : wanted.name,
    operator: wanted.operator ?? before.operator,
    line,
    segment: wanted.segment === undefined ? before.segment : wanted.segment,
    repeat: wanted.repeat ?? before.repeat,
    hysteresis: readHysteresis(wanted.hysteresis ?? formatExact(kept, "units" in line ? places : 0), line, places),
  };
}

/** How often another request may change the threshold that was just read. */
const ATTEMPTS = 5;

async function change(
  db: D1Database,
  { project_id, id }: Pick<ThresholdRow, "project_id" | "id">,
  wanted: ThresholdChange,
): Promise<ThresholdRow> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const previous = await requireThreshold(db, project_id, id);
    const definition = toExactJson(apply(toDefinition(previous), wanted, previous.decimal_places));
    if (wanted.segment !== undefined)
      checkSegment(wanted.segment, await requireMetric(db, project_id, previous.metric));
    const updated_at = Math.max(Date.now(), previous.updated_at + 1);
    const next = { ...previous, version: previous.version + 1, definition, updated_at };
    if (await storeThreshold(db, previous, next)) return next;
  }
  throw new Problem("conflict", "Other requests are changing this threshold; read it and decide again.");
}
