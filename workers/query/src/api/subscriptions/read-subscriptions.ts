import { createRoute } from "@hono/zod-openapi";
import { NoQuerySchema, pageOf } from "@tidemark/contract/answer-schema";
import { SubscriptionSchema } from "@tidemark/contract/subscription-schema";
import * as z from "zod";
import type { QueryApp } from "../../env.ts";
import { requires } from "../../plumbing/requires.ts";
import { failures, json, KEYED } from "../../plumbing/routes.ts";
import { metricsOf } from "../definitions/metrics-of.ts";
import { requireDefinitions } from "../definitions/read-definitions.ts";
import { isLive, requireSubscription, toSubscription } from "./subscription.ts";

const listRoute = createRoute({
  method: "get",
  path: "/v1/customers/{id}/subscriptions",
  tags: ["Quotas"],
  summary: "List a customer's subscriptions",
  description:
    "Those that are in force, oldest first, all of them, with where each stands: live from the customer's meter.",
  security: KEYED,
  middleware: requires("read"),
  request: { params: z.object({ id: z.string() }), query: NoQuerySchema },
  responses: { 200: json(pageOf(SubscriptionSchema), "The subscriptions."), ...failures(404) },
});

const readRoute = createRoute({
  method: "get",
  path: "/v1/customers/{id}/subscriptions/{subscription_id}",
  tags: ["Quotas"],
  summary: "Read a subscription",
  security: KEYED,
  middleware: requires("read"),
  request: { params: z.object({ id: z.string(), subscription_id: z.string() }), query: NoQuerySchema },
  responses: { 200: json(SubscriptionSchema, "The subscription."), ...failures(404) },
});

export function listSubscriptions(app: QueryApp): void {
  app.openapi(listRoute, async (context) => {
    const { project_id } = context.get("principal");
    const address = { project_id, customer_id: context.req.valid("param").id };
    const { held } = await requireDefinitions(context.env, address);
    const live = held.filter(isLive);
    const metricOf = await metricsOf(context.env.DB, project_id, live);
    return context.json({ data: live.map((one) => toSubscription(one, metricOf(one))), next_cursor: null }, 200);
  });
}

export function readSubscription(app: QueryApp): void {
  app.openapi(readRoute, async (context) => {
    const { project_id } = context.get("principal");
    const { id, subscription_id } = context.req.valid("param");
    const definitions = await requireDefinitions(context.env, { project_id, customer_id: id });
    const held = requireSubscription(definitions, subscription_id);
    const metricOf = await metricsOf(context.env.DB, project_id, [held]);
    return context.json(toSubscription(held, metricOf(held)), 200);
  });
}
