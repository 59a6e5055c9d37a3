import { createRoute } from "@hono/zod-openapi";
import { AllowanceInputSchema, AllowanceSchema, TopUpSchema } from "@tidemark/contract/allowance-schema";
import { NewCustomerIdSchema } from "@tidemark/contract/customer-schema";
import * as z from "zod";
import type { QueryApp } from "../../env.ts";
import { IdempotencyHeaders, idempotent } from "../../plumbing/idempotent.ts";
import { jsonBody } from "../../plumbing/json-body.ts";
import { requires } from "../../plumbing/requires.ts";
import { body, failures, json, KEYED } from "../../plumbing/routes.ts";
import { setLimit } from "./set-limit.ts";
import { topUp } from "./top-up.ts";

const route = createRoute({
  method: "post",
  path: "/v1/customers/{id}/allowances",
  tags: ["Quotas"],
  summary: "Set a limit, or grant units",
  description:
    "With `base` it sets what the customer may use of a metric in each cycle, apart from what products bring: the " +
    "customer's allowance of the metric is made, or changed. A lower base never takes back what was used.\n\n" +
    "With `amount` it grants units once, on top of the cycle's, or takes some away. They go to the customer's limit of the " +
    "metric, and are used before the base.",
  security: KEYED,
  middleware: [requires("admin"), jsonBody, idempotent()] as const,
  request: {
    headers: IdempotencyHeaders,
    params: z.object({ id: NewCustomerIdSchema }),
    body: body(AllowanceInputSchema),
  },
  responses: {
    200: json(AllowanceSchema, "The allowance was there, and is changed."),
    201: json(z.union([AllowanceSchema, TopUpSchema]), "The allowance, or the top-up."),
    ...failures(404, 409, 413, 415),
  },
});

export function postAllowance(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const address = { project_id: context.get("principal").project_id, customer_id: context.req.valid("param").id };
    const { amount, base, reason = "", expires_at = null, ...limit } = context.req.valid("json");
    if (amount !== undefined) {
      const key = context.req.header("idempotency-key");
      const grant = { metric: limit.metric, amount, reason, expires_at, key };
      return context.json(await topUp(context.env, address, grant), 201);
    }
    const { allowance, isNew } = await setLimit(context.env, address, { ...limit, base: base ?? 0 });
    return context.json(allowance, isNew ? 201 : 200);
  });
}
