import { createRoute } from "@hono/zod-openapi";
import { type ThresholdChange, ThresholdChangeSchema, ThresholdSchema } from "@tidemark/contract/threshold-schema";
import { toExactJson } from "@tidemark/core/exact-json";
import { type ThresholdRow, updateThreshold as storeThreshold } from "@tidemark/db/thresholds";
import { Problem } from "@tidemark/http/problem";
import * as z from "zod";
import type { QueryApp } from "../../env.ts";
import { jsonBody } from "../../plumbing/json-body.ts";
import { requires } from "../../plumbing/requires.ts";
import { body, failures, json, KEYED } from "../../plumbing/routes.ts";
import { tellMeter } from "./tell-meter.ts";
import { readLine, requireThreshold, toDefinition, toThreshold } from "./threshold.ts";

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
    await tellMeter(env, row);
    return context.json(toThreshold(row), 200);
  });
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
    const before = toDefinition(previous);
    const definition = toExactJson({
      name: wanted.name === undefined ? before.name : wanted.name,
      operator: wanted.operator ?? before.operator,
      line: readLine(wanted, previous.decimal_places) ?? before.line,
    });
    const updated_at = Math.max(Date.now(), previous.updated_at + 1);
    const next = { ...previous, version: previous.version + 1, definition, updated_at };
    if (await storeThreshold(db, previous, next)) return next;
  }
  throw new Problem("conflict", "Other requests are changing this threshold; read it and decide again.");
}
