import type { OpenAPIHono } from "@hono/zod-openapi";
import { BATCH_EVENTS_MAX, BODY_BYTES_MAX } from "@tidemark/contract";
import { ProblemSchema } from "@tidemark/contract/answer-schema";
import { EventSchema } from "@tidemark/contract/event-schema";
import * as z from "zod";
import { KEYED } from "../plumbing/routes.ts";

/** What the ingest Worker answers. It carries no schemas itself, so its route is described here. */
export function describeIngest(registry: OpenAPIHono["openAPIRegistry"]): void {
  registry.registerPath({
    method: "post",
    path: "/v1/events",
    tags: ["Events"],
    summary: "Send events",
    description:
      `One event, an array, NDJSON or CloudEvents: at most ${BATCH_EVENTS_MAX} events and ${BODY_BYTES_MAX} bytes after decompression. ` +
      "What was answered 202 is counted exactly once, however often it is sent again with the same id.",
    security: KEYED,
    request: {
      body: {
        required: true,
        content: {
          "application/json": { schema: z.union([Event, z.array(Event)]) },
          "application/x-ndjson": { schema: z.string() },
          "application/cloudevents+json": { schema: CloudEvent },
          "application/cloudevents-batch+json": { schema: z.array(CloudEvent) },
        },
      },
    },
    responses: {
      202: { description: "The events are safe.", content: { "application/json": { schema: Accepted } } },
      400: problem("The body is not that."),
      401: problem("The key is missing or not valid."),
      403: problem("The key lacks the scope ingest."),
      413: problem("The body is too large."),
      415: problem("The content type or encoding is not supported."),
      422: problem("Every event was refused."),
      503: problem("The queue did not take the events; send all of them again."),
    },
  });
}

const Event = z.strictObject({ ...EventSchema.shape, properties: z.record(z.string(), z.unknown()).optional() }).meta({
  id: "Event",
  example: { id: "req_8f3", event: "api_request", customer_id: "acme_corp", properties: { endpoint: "/v1/search" } },
});

const CloudEvent = z
  .looseObject({})
  .meta({ id: "CloudEvent", description: "CloudEvents 1.0: `subject` is the customer." });

const Accepted = z
  .object({
    accepted: z.int(),
    rejected: z.array(
      z.object({
        index: z.int(),
        id: z.string().nullable(),
        code: z.string(),
        pointer: z.string(),
        detail: z.string(),
      }),
    ),
    ids: z.array(z.string().nullable()).optional().describe("In order, where the server made some."),
    request_id: z.string(),
  })
  .meta({ id: "Accepted" });

function problem(description: string) {
  return { description, content: { "application/problem+json": { schema: ProblemSchema } } };
}
