import { createRoute } from "@hono/zod-openapi";
import { CustomerChangeSchema, CustomerSchema } from "@tidemark/contract/customer-schema";
import { updateCustomer as storeChange } from "@tidemark/db/customers";
import { outdateSnapshots } from "@tidemark/db/snapshots";
import * as z from "zod";
import type { QueryApp } from "../../env.ts";
import { jsonBody } from "../../plumbing/json-body.ts";
import { requires } from "../../plumbing/requires.ts";
import { body, failures, json, KEYED } from "../../plumbing/routes.ts";
import { noSuchCustomer, toCustomer } from "./customer.ts";

const route = createRoute({
  method: "patch",
  path: "/v1/customers/{id}",
  tags: ["Customers"],
  summary: "Say more about a customer",
  description: "What is left out stays as it is; null clears.",
  security: KEYED,
  middleware: [requires("admin"), jsonBody] as const,
  request: { params: z.object({ id: z.string() }), body: body(CustomerChangeSchema) },
  responses: { 200: json(CustomerSchema, "The customer as it is now."), ...failures(404, 413, 415) },
});

export function updateCustomer(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const { attributes, ...texts } = context.req.valid("json");
    const change = attributes === undefined ? texts : { ...texts, attributes: toStored(attributes) };
    const address = { project_id: context.get("principal").project_id, customer_id: context.req.valid("param").id };
    const row = await storeChange(context.env.DB, address, change);
    if (row === undefined) throw noSuchCustomer();
    // Names and plans stand in what is kept of lists and reports.
    await outdateSnapshots(context.env.DB, address.project_id, Date.now());
    return context.json(toCustomer(row), 200);
  });
}

function toStored(attributes: object | null): string | null {
  return attributes === null ? null : JSON.stringify(attributes);
}
