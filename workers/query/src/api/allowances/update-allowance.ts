import { createRoute } from "@hono/zod-openapi";
import type { MeterAddress } from "@tidemark/contract";
import {
  type Allowance,
  type AllowanceChange,
  AllowanceChangeSchema,
  AllowanceSchema,
} from "@tidemark/contract/allowance-schema";
import type { MetricDefinition } from "@tidemark/contract/metric-schema";
import { fromTerms, type WantedTerms } from "@tidemark/contract/wanted-terms";
import { Problem } from "@tidemark/http/problem";
import * as z from "zod";
import type { QueryApp, QueryEnv } from "../../env.ts";
import { jsonBody } from "../../plumbing/json-body.ts";
import { requires } from "../../plumbing/requires.ts";
import { body, failures, json, KEYED } from "../../plumbing/routes.ts";
import { define } from "../definitions/define.ts";
import { metricsOf, requireMetricOf } from "../definitions/metrics-of.ts";
import { type HeldDefinition, requireDefinitions, toHeldNow } from "../definitions/read-definitions.ts";
import { readTerms } from "../definitions/read-terms.ts";
import { requireMetered } from "../definitions/require-metered.ts";
import { readSchedule, startOfSecond } from "../definitions/schedule.ts";
import { requireAllowance, toAllowance } from "./allowance.ts";

const route = createRoute({
  method: "patch",
  path: "/v1/customers/{id}/allowances/{allowance_id}",
  tags: ["Quotas"],
  summary: "Change an allowance",
  description: "What is left out stays as it is, with `carryover` as a whole. What is reserved stays reserved.",
  security: KEYED,
  middleware: [requires("admin"), jsonBody] as const,
  request: {
    params: z.object({ id: z.string(), allowance_id: z.string() }),
    body: body(AllowanceChangeSchema),
  },
  responses: { 200: json(AllowanceSchema, "The allowance as it is now."), ...failures(404, 409, 413, 415) },
});

export function updateAllowance(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const { id, allowance_id } = context.req.valid("param");
    const address = { project_id: context.get("principal").project_id, customer_id: id };
    const held = requireAllowance(await requireDefinitions(context.env, address), allowance_id);
    return context.json(await change(context.env, address, held, context.req.valid("json")), 200);
  });
}

async function change(
  env: QueryEnv,
  address: MeterAddress,
  held: HeldDefinition,
  { cycle = {}, change: mode = "keep", ...wanted }: AllowanceChange,
): Promise<Allowance> {
  if (held.ended_at !== null) throw new Problem("conflict", "The allowance has ended; set another one.");
  const { definition: before } = held;
  const { schedule } = before.terms;
  const metric = requireMetricOf(await metricsOf(env.DB, address.project_id, [held]), held);
  const terms = merge(held, metric, wanted);
  const now = Date.now();
  // A cycle that begins anew is a whole one.
  const known = mode === "restart" ? { ...schedule, anchor: startOfSecond(now) } : schedule;
  const next = readSchedule(cycle, { schedule: known, now, time_zone: schedule.time_zone }, "/cycle");
  const definition = { ...before, terms: readTerms(terms, metric, next), unavailable: terms.unavailable };
  const metered = await requireMetered(env.DB, address, metric.id);
  const set = { kind: "set", definition, metered, mode, replaces: null, expected: before } as const;
  const balance = await define(env, { ...address, ...set });
  return toAllowance(await toHeldNow(env, address, balance), metric);
}

function merge(
  { definition }: HeldDefinition,
  metric: MetricDefinition,
  wanted: Omit<AllowanceChange, "cycle" | "change">,
): WantedTerms {
  const given = Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined));
  return {
    ...fromTerms(definition.terms, metric.decimal_places),
    unavailable: definition.unavailable,
    ...(given as Partial<WantedTerms>),
  };
}
