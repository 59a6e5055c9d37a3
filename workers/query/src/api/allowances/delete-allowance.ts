import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import type { QueryApp } from "../../env.ts";
import { requires } from "../../plumbing/requires.ts";
import { failures, KEYED } from "../../plumbing/routes.ts";
import { end } from "../definitions/end.ts";
import { requireDefinitions } from "../definitions/read-definitions.ts";
import { requireAllowance } from "./allowance.ts";

const route = createRoute({
  method: "delete",
  path: "/v1/customers/{id}/allowances/{allowance_id}",
  tags: ["Quotas"],
  summary: "End an allowance",
  description:
    "Its cycle ends now, and what is left is forfeited once the cycle is final. Without another limit of the metric, what is then asked for is denied.",
  security: KEYED,
  middleware: requires("admin"),
  request: { params: z.object({ id: z.string(), allowance_id: z.string() }) },
  responses: { 204: { description: "It has ended." }, ...failures(404, 409) },
});

export function deleteAllowance(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const { id, allowance_id } = context.req.valid("param");
    const address = { project_id: context.get("principal").project_id, customer_id: id };
    const definitions = await requireDefinitions(context.env, address);
    await end(context.env, address, definitions, requireAllowance(definitions, allowance_id));
    return context.body(null, 204);
  });
}
