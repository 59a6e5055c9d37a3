import { createRoute } from "@hono/zod-openapi";
import { NoQuerySchema } from "@tidemark/contract/answer-schema";
import { CustomerSchema } from "@tidemark/contract/customer-schema";
import { findCustomer } from "@tidemark/db/customers";
import * as z from "zod";
import type { QueryApp } from "../../env.ts";
import { requires } from "../../plumbing/requires.ts";
import { failures, json, KEYED } from "../../plumbing/routes.ts";
import { noSuchCustomer, toCustomer } from "./customer.ts";

const route = createRoute({
  method: "get",
  path: "/v1/customers/{id}",
  tags: ["Customers"],
  summary: "Read a customer",
  security: KEYED,
  middleware: requires("read"),
  request: { params: z.object({ id: z.string() }), query: NoQuerySchema },
  responses: { 200: json(CustomerSchema, "The customer."), ...failures(404) },
});

export function readCustomer(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const { id } = context.req.valid("param");
    const row = await findCustomer(context.env.DB, context.get("principal").project_id, id);
    if (row === undefined) throw noSuchCustomer();
    return context.json(toCustomer(row), 200);
  });
}
