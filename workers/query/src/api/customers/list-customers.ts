import { createRoute } from "@hono/zod-openapi";
import { pageOf } from "@tidemark/contract/answer-schema";
import { CustomerSchema, CustomersQuerySchema } from "@tidemark/contract/customer-schema";
import { listCustomers as readCustomers } from "@tidemark/db/customers";
import type { QueryApp } from "../../env.ts";
import { readCursor, toPage } from "../../plumbing/cursor.ts";
import { requires } from "../../plumbing/requires.ts";
import { failures, json, KEYED } from "../../plumbing/routes.ts";
import { toCustomer } from "./customer.ts";

const LIST = "customers";

const route = createRoute({
  method: "get",
  path: "/v1/customers",
  tags: ["Customers"],
  summary: "List customers",
  description: "By id. A customer appears with its first event.",
  security: KEYED,
  middleware: requires("read"),
  request: { query: CustomersQuerySchema },
  responses: { 200: json(pageOf(CustomerSchema), "A page of customers."), ...failures() },
});

export function listCustomers(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const { q, limit, cursor } = context.req.valid("query");
    const after = readCursor(cursor, LIST, ["string"])?.[0]?.toString();
    const { project_id } = context.get("principal");
    const rows = await readCustomers(context.env.DB, project_id, { prefix: q, after, limit: limit + 1 });
    const page = toPage(rows, limit, LIST, ({ customer_id }) => [customer_id]);
    return context.json({ data: page.rows.map(toCustomer), next_cursor: page.next_cursor }, 200);
  });
}
