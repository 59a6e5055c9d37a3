import { createRoute } from "@hono/zod-openapi";
import { BalancesQuerySchema, BalancesSchema } from "@tidemark/contract/balance-schema";
import * as z from "zod";
import type { QueryApp } from "../../env.ts";
import { toInstantText } from "../../plumbing/instant.ts";
import { requires } from "../../plumbing/requires.ts";
import { failures, json, KEYED } from "../../plumbing/routes.ts";
import { metricsOf, requireMetricOf } from "../definitions/metrics-of.ts";
import { requireDefinitions } from "../definitions/read-definitions.ts";
import { requireMetric } from "../metrics/metric.ts";
import { toBalance } from "./to-balance.ts";

const route = createRoute({
  method: "get",
  path: "/v1/customers/{id}/balances",
  tags: ["Quotas"],
  summary: "Where a customer's balances stand",
  description:
    "Of every allowance and subscription of a metric, live from the customer's meter, with what it is made of; also of " +
    "those that have ended while their last cycle can change.",
  security: KEYED,
  middleware: requires("read"),
  request: { params: z.object({ id: z.string() }), query: BalancesQuerySchema },
  responses: { 200: json(BalancesSchema, "The balances, oldest first."), ...failures(404) },
});

export function readBalances(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const { env } = context;
    const { project_id } = context.get("principal");
    const address = { project_id, customer_id: context.req.valid("param").id };
    const { metric: slug } = context.req.valid("query");
    const [definitions, metric] = await Promise.all([
      requireDefinitions(env, address),
      slug === undefined ? undefined : requireMetric(env.DB, project_id, slug),
    ]);
    const held = definitions.held.filter(
      ({ definition, balances }) => balances.length > 0 && (metric === undefined || definition.metric_id === metric.id),
    );
    const metricOf = await metricsOf(env.DB, project_id, held);
    const data = held.flatMap((one) =>
      one.balances.map((balance) => toBalance(balance, requireMetricOf(metricOf, one).slug)),
    );
    return context.json({ customer_id: address.customer_id, as_of: toInstantText(definitions.as_of), data }, 200);
  });
}
