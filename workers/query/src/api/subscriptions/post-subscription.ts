import { createRoute } from "@hono/zod-openapi";
import { NewCustomerIdSchema } from "@tidemark/contract/customer-schema";
import { SubscriptionInputSchema, SubscriptionSchema } from "@tidemark/contract/subscription-schema";
import * as z from "zod";
import type { QueryApp } from "../../env.ts";
import { IdempotencyHeaders, idempotent } from "../../plumbing/idempotent.ts";
import { jsonBody } from "../../plumbing/json-body.ts";
import { requires } from "../../plumbing/requires.ts";
import { body, failures, json, KEYED } from "../../plumbing/routes.ts";
import { subscribe } from "./subscribe.ts";

const route = createRoute({
  method: "post",
  path: "/v1/customers/{id}/subscriptions",
  tags: ["Quotas"],
  summary: "Subscribe a customer to a product",
  description:
    "The subscription keeps the terms and prices that the product has now. A customer has one subscription of a metric " +
    "at most, and one of a product without a metric: another says which it `replaces`.",
  security: KEYED,
  middleware: [requires("admin"), jsonBody, idempotent()] as const,
  request: {
    headers: IdempotencyHeaders,
    params: z.object({ id: NewCustomerIdSchema }),
    body: body(SubscriptionInputSchema),
  },
  responses: { 201: json(SubscriptionSchema, "The subscription."), ...failures(409, 413, 415) },
});

export function postSubscription(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const address = { project_id: context.get("principal").project_id, customer_id: context.req.valid("param").id };
    return context.json(await subscribe(context.env, address, context.req.valid("json")), 201);
  });
}
