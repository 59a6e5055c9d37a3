import { createRoute } from "@hono/zod-openapi";
import { METRICS_MAX, type RecentEvent } from "@tidemark/contract";
import { NoQuerySchema } from "@tidemark/contract/answer-schema";
import { type CustomerEvents, CustomerEventsSchema } from "@tidemark/contract/event-list-schema";
import { findCustomer } from "@tidemark/db/customers";
import { listMetrics } from "@tidemark/db/metrics";
import { Problem } from "@tidemark/http/problem";
import * as z from "zod";
import type { QueryApp } from "../../env.ts";
import { toInstantText } from "../../plumbing/instant.ts";
import { requires } from "../../plumbing/requires.ts";
import { failures, json, KEYED } from "../../plumbing/routes.ts";
import { askMeter } from "../../read-meter.ts";
import { noSuchCustomer } from "../customers/customer.ts";

const route = createRoute({
  method: "get",
  path: "/v1/customers/{id}/events",
  tags: ["Customers"],
  summary: "A customer's latest events",
  description:
    "Those that a metric matched, with the properties that the metrics show (`exposed_event_keys`), live from the " +
    "customer's meter.",
  security: KEYED,
  middleware: requires("read"),
  request: { params: z.object({ id: z.string() }), query: NoQuerySchema },
  responses: { 200: json(CustomerEventsSchema, "The latest events."), ...failures(404) },
});

export function listCustomerEvents(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const { project_id } = context.get("principal");
    const address = { project_id, customer_id: context.req.valid("param").id };
    const { DB } = context.env;
    const [customer, metrics, events] = await Promise.all([
      findCustomer(DB, project_id, address.customer_id),
      listMetrics(DB, project_id, { after: undefined, limit: METRICS_MAX }),
      askMeter(context.env, address, (meter) => meter.recent(address)),
    ]);
    if (events === undefined)
      throw new Problem("unavailable", "The customer's meter did not answer; nothing was changed, ask again.", {
        headers: { "retry-after": "2" },
      });
    if (customer === undefined && events.length === 0) throw noSuchCustomer();
    const slugs = new Map(metrics.map(({ id, slug }) => [id, slug]));
    return context.json({ data: events.map((event) => toEvent(event, slugs)), as_of: toInstantText(Date.now()) }, 200);
  });
}

function toEvent(event: RecentEvent, slugs: ReadonlyMap<string, string>): CustomerEvents["data"][number] {
  return {
    id: event.id,
    event: event.event,
    timestamp: toInstantText(event.at),
    metrics: toSlugs(event.counted, slugs),
    rejected: toSlugs(event.rejected, slugs),
    properties: { ...event.properties },
  };
}

/** A later version's counter is called after its metric; deleted metrics are left out. */
function toSlugs(counters: readonly string[], slugs: ReadonlyMap<string, string>): string[] {
  const named = counters.flatMap((counter) => slugs.get(counter.replace(/\.\d+$/, "")) ?? []);
  return [...new Set(named)];
}
