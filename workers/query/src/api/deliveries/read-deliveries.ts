import { createRoute } from "@hono/zod-openapi";
import { NoQuerySchema, pageOf } from "@tidemark/contract/answer-schema";
import { DeliveriesQuerySchema, DeliveryDetailSchema, DeliverySchema } from "@tidemark/contract/delivery-schema";
import { toWebhookEvent } from "@tidemark/contract/webhook-event";
import { listDeliveries as listRows } from "@tidemark/db/deliveries";
import * as z from "zod";
import type { QueryApp } from "../../env.ts";
import { readAgeCursor, toPage } from "../../plumbing/cursor.ts";
import { requires } from "../../plumbing/requires.ts";
import { failures, json, KEYED } from "../../plumbing/routes.ts";
import { requireDelivery, toDelivery } from "./delivery.ts";

const LIST = "deliveries";

const listRoute = createRoute({
  method: "get",
  path: "/v1/deliveries",
  tags: ["Destinations"],
  summary: "List deliveries",
  description:
    "Newest first: which notices went to which destination, and how it went. Each is kept for sixty days after it ended.",
  security: KEYED,
  middleware: requires("read"),
  request: { query: DeliveriesQuerySchema },
  responses: { 200: json(pageOf(DeliverySchema), "A page of deliveries."), ...failures() },
});

const readRoute = createRoute({
  method: "get",
  path: "/v1/deliveries/{id}",
  tags: ["Destinations"],
  summary: "Read a delivery",
  description: "With what is posted.",
  security: KEYED,
  middleware: requires("read"),
  request: { params: z.object({ id: z.string() }), query: NoQuerySchema },
  responses: { 200: json(DeliveryDetailSchema, "The delivery."), ...failures(404) },
});

export function listDeliveries(app: QueryApp): void {
  app.openapi(listRoute, async (context) => {
    const { limit, cursor, destination_id, state } = context.req.valid("query");
    const before = readAgeCursor(cursor, LIST);
    const { project_id } = context.get("principal");
    const page = { destination_id, state, before, limit: limit + 1 };
    const { rows, next_cursor } = toPage(
      await listRows(context.env.DB, project_id, page),
      limit,
      LIST,
      ({ created_at, id }) => [created_at, id],
    );
    return context.json({ data: rows.map(toDelivery), next_cursor }, 200);
  });
}

export function readDelivery(app: QueryApp): void {
  app.openapi(readRoute, async (context) => {
    const { project_id } = context.get("principal");
    const row = await requireDelivery(context.env.DB, { project_id, id: context.req.valid("param").id });
    return context.json({ ...toDelivery(row), event: toWebhookEvent({ ...row, id: row.notice_id }) }, 200);
  });
}
