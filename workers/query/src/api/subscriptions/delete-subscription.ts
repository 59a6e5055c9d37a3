import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import type { QueryApp } from "../../env.ts";
import { requires } from "../../plumbing/requires.ts";
import { failures, KEYED } from "../../plumbing/routes.ts";
import { end } from "../definitions/end.ts";
import { requireDefinitions } from "../definitions/read-definitions.ts";
import { requireSubscription } from "./subscription.ts";

const route = createRoute({
  method: "delete",
  path: "/v1/customers/{id}/subscriptions/{subscription_id}",
  tags: ["Quotas"],
  summary: "Cancel a subscription",
  description: "Its cycle ends now; what is left is frozen, and forfeited once the cycle is final.",
  security: KEYED,
  middleware: requires("admin"),
  request: { params: z.object({ id: z.string(), subscription_id: z.string() }) },
  responses: { 204: { description: "It has ended." }, ...failures(404, 409) },
});

export function deleteSubscription(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const { id, subscription_id } = context.req.valid("param");
    const address = { project_id: context.get("principal").project_id, customer_id: id };
    const definitions = await requireDefinitions(context.env, address);
    await end(context.env, address, definitions, requireSubscription(definitions, subscription_id));
    return context.body(null, 204);
  });
}
