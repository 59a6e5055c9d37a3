import { createRoute } from "@hono/zod-openapi";
import { DeliverySchema } from "@tidemark/contract/delivery-schema";
import { renewDelivery } from "@tidemark/db/deliveries";
import { askNow } from "@tidemark/db/destinations";
import * as z from "zod";
import type { QueryApp } from "../../env.ts";
import { IdempotencyHeaders, idempotent } from "../../plumbing/idempotent.ts";
import { requires } from "../../plumbing/requires.ts";
import { failures, json, KEYED } from "../../plumbing/routes.ts";
import { requireEnabled } from "../destinations/destination.ts";
import { requireDelivery, toDelivery } from "./delivery.ts";
import { sendDelivery } from "./send-delivery.ts";

const route = createRoute({
  method: "post",
  path: "/v1/deliveries/{id}/resend",
  tags: ["Destinations"],
  summary: "Send a delivery again",
  description:
    "Whatever came of it: it is attempted at once, and has all its attempts again. Id and body are the same, so that a " +
    "receiver that has it can drop it.",
  security: KEYED,
  middleware: [requires("admin"), idempotent()] as const,
  request: { headers: IdempotencyHeaders, params: z.object({ id: z.string() }) },
  responses: { 202: json(DeliverySchema, "It is on its way."), ...failures(404, 409) },
});

export function resendDelivery(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const { DB } = context.env;
    const address = { project_id: context.get("principal").project_id, id: context.req.valid("param").id };
    const { project_id, destination_id, id: delivery_id } = await requireDelivery(DB, address);
    await requireEnabled(DB, { project_id, id: destination_id });
    await renewDelivery(DB, address, Date.now());
    await askNow(DB, { project_id, id: destination_id });
    await sendDelivery(context.env, { project_id, destination_id, delivery_id });
    return context.json(toDelivery(await requireDelivery(DB, address)), 202);
  });
}
