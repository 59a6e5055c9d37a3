import { createRoute } from "@hono/zod-openapi";
import { DeliverySchema } from "@tidemark/contract/delivery-schema";
import type { TestBody } from "@tidemark/contract/notice";
import { TEST_PAUSE_MS } from "@tidemark/contract/query-limits";
import { insertDeliveries } from "@tidemark/db/deliveries";
import { askNow } from "@tidemark/db/destinations";
import { insertTest } from "@tidemark/db/notices";
import { deliveryId } from "@tidemark/http/delivery-id";
import { Problem } from "@tidemark/http/problem";
import * as z from "zod";
import type { QueryApp } from "../../env.ts";
import { IdempotencyHeaders, idempotent } from "../../plumbing/idempotent.ts";
import { requires } from "../../plumbing/requires.ts";
import { failures, json, KEYED } from "../../plumbing/routes.ts";
import { requireDelivery, toDelivery } from "../deliveries/delivery.ts";
import { sendDelivery } from "../deliveries/send-delivery.ts";
import { requireEnabled } from "./destination.ts";

const route = createRoute({
  method: "post",
  path: "/v1/destinations/{id}/test",
  tags: ["Destinations"],
  summary: "Test a destination",
  description:
    "Sends a notice of the kind `webhook_test` there, whatever it wants. The delivery tells how it went: " +
    "GET /v1/deliveries/{id}.",
  security: KEYED,
  middleware: [requires("admin"), idempotent()] as const,
  request: { headers: IdempotencyHeaders, params: z.object({ id: z.string() }) },
  responses: { 202: json(DeliverySchema, "It is on its way."), ...failures(404, 409, 429) },
});

export function testDestination(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const { env } = context;
    const { project_id } = context.get("principal");
    const { id, name } = await requireEnabled(env.DB, { project_id, id: context.req.valid("param").id });
    const now = Date.now();
    // The id is that of the span of time, so that a second one within it is none.
    const notice_id = `test:${id}:${Math.floor(now / TEST_PAUSE_MS)}`;
    const delivery_id = await deliveryId(project_id, id, notice_id);
    const body: TestBody = { destination: { id, name } };
    const [inserted] = await env.DB.batch([
      insertTest(env.DB, { project_id, destination_id: id }, { id: notice_id, at: now, body: JSON.stringify(body) }),
      insertDeliveries(env.DB, project_id, [{ id: delivery_id, destination_id: id, notice_id }], now),
    ]);
    if (inserted?.meta.changes === 0) throw tooSoon(now);
    await askNow(env.DB, { project_id, id });
    await sendDelivery(env, { project_id, destination_id: id, delivery_id });
    return context.json(toDelivery(await requireDelivery(env.DB, { project_id, id: delivery_id })), 202);
  });
}

/** One test in each span of time: what is left of the span is what there is to wait for. */
function tooSoon(now: number): Problem {
  const seconds = Math.ceil((TEST_PAUSE_MS - (now % TEST_PAUSE_MS)) / 1_000);
  return new Problem("rate_limited", `This destination was tested a moment ago; wait for ${seconds} s.`, {
    headers: {
      "retry-after": String(seconds),
      ratelimit: `"destination-tests";r=0;t=${seconds}`,
      "ratelimit-policy": `"destination-tests";q=1;w=${TEST_PAUSE_MS / 1_000}`,
    },
  });
}
