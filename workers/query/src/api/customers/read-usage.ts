import { createRoute } from "@hono/zod-openapi";
import { CustomerUsageQuerySchema, CustomerUsageSchema } from "@tidemark/contract/customer-schema";
import * as z from "zod";
import type { QueryApp } from "../../env.ts";
import { requires } from "../../plumbing/requires.ts";
import { failures, json, KEYED } from "../../plumbing/routes.ts";
import { answerCustomerUsage } from "./answer-customer-usage.ts";

const route = createRoute({
  method: "get",
  path: "/v1/customers/{id}/usage",
  tags: ["Customers"],
  summary: "A customer's usage of every metric",
  description:
    "Of the last days in the project's time zone, today included, live from the customer's meter: of each metric's " +
    "display interval, or of as many days as are asked for. " +
    "A project whose zone is not a whole number of hours from UTC sees days of UTC.",
  security: KEYED,
  middleware: requires("read"),
  request: { params: z.object({ id: z.string() }), query: CustomerUsageQuerySchema },
  responses: { 200: json(CustomerUsageSchema, "Usage by metric."), ...failures(404) },
});

export function readCustomerUsage(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const { project_id } = context.get("principal");
    const { days } = context.req.valid("query");
    const customer = { project_id, customer_id: context.req.valid("param").id };
    return context.json(
      await answerCustomerUsage(context.env, customer, days === undefined ? undefined : Number(days)),
      200,
    );
  });
}
