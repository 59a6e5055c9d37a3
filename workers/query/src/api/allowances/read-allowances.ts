import { createRoute } from "@hono/zod-openapi";
import { AllowanceSchema } from "@tidemark/contract/allowance-schema";
import { NoQuerySchema, pageOf } from "@tidemark/contract/answer-schema";
import * as z from "zod";
import type { QueryApp } from "../../env.ts";
import { requires } from "../../plumbing/requires.ts";
import { failures, json, KEYED } from "../../plumbing/routes.ts";
import { metricsOf, requireMetricOf } from "../definitions/metrics-of.ts";
import { requireDefinitions } from "../definitions/read-definitions.ts";
import { isAllowance, requireAllowance, toAllowance } from "./allowance.ts";

const listRoute = createRoute({
  method: "get",
  path: "/v1/customers/{id}/allowances",
  tags: ["Quotas"],
  summary: "List a customer's allowances",
  description:
    "Those that are in force apart from subscriptions, oldest first, all of them, with where each stands: live from the customer's meter.",
  security: KEYED,
  middleware: requires("read"),
  request: { params: z.object({ id: z.string() }), query: NoQuerySchema },
  responses: { 200: json(pageOf(AllowanceSchema), "The allowances."), ...failures(404) },
});

const readRoute = createRoute({
  method: "get",
  path: "/v1/customers/{id}/allowances/{allowance_id}",
  tags: ["Quotas"],
  summary: "Read an allowance",
  security: KEYED,
  middleware: requires("read"),
  request: { params: z.object({ id: z.string(), allowance_id: z.string() }), query: NoQuerySchema },
  responses: { 200: json(AllowanceSchema, "The allowance."), ...failures(404) },
});

export function listAllowances(app: QueryApp): void {
  app.openapi(listRoute, async (context) => {
    const { project_id } = context.get("principal");
    const address = { project_id, customer_id: context.req.valid("param").id };
    const { held } = await requireDefinitions(context.env, address);
    const live = held.filter((one) => isAllowance(one) && one.ended_at === null);
    const metricOf = await metricsOf(context.env.DB, project_id, live);
    const data = live.map((one) => toAllowance(one, requireMetricOf(metricOf, one)));
    return context.json({ data, next_cursor: null }, 200);
  });
}

export function readAllowance(app: QueryApp): void {
  app.openapi(readRoute, async (context) => {
    const { project_id } = context.get("principal");
    const { id, allowance_id } = context.req.valid("param");
    const held = requireAllowance(await requireDefinitions(context.env, { project_id, customer_id: id }), allowance_id);
    const metricOf = await metricsOf(context.env.DB, project_id, [held]);
    return context.json(toAllowance(held, requireMetricOf(metricOf, held)), 200);
  });
}
