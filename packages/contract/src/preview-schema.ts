import type { ExampleEvent } from "@tidemark/core/example-event";
import { SEGMENT_COLORS } from "@tidemark/core/segment-colors";
import * as z from "zod";
import { QuantitySchema } from "./answer-schema.ts";
import { checkEvent } from "./event-check.ts";
import { PREVIEW_EVENTS_MAX } from "./limits.ts";
import { MetricDraftSchema } from "./metric-schema.ts";

/** An event to try, checked like one that is sent, except that it needs no customer. */
const PreviewEventSchema = z.unknown().superRefine((event, context) => {
  const isObject = typeof event === "object" && event !== null && !Array.isArray(event);
  const fault = checkEvent(isObject ? { customer_id: "customer_1", ...event } : event);
  if (fault === undefined) return;
  const path = fault.pointer.split("/").slice(1);
  context.addIssue({
    code: "custom",
    path: path.map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~")),
    message: fault.detail,
  });
});

/** The body of `POST /v1/metrics/preview`. */
export const PreviewInputSchema = z
  .strictObject({
    metric: MetricDraftSchema,
    events: z
      .array(PreviewEventSchema)
      .max(PREVIEW_EVENTS_MAX)
      .default([])
      .describe(
        "As for POST /v1/events; id, customer_id and timestamp can be left out. They are counted as one customer's.",
      ),
    state: z
      .strictObject({ value: z.union([z.string().max(64), z.number()], "Must be a number, or a text that holds one.") })
      .optional()
      .describe("A result to go on from."),
  })
  .meta({
    id: "PreviewInput",
    example: {
      metric: { aggregation: "sum", value_property: "tokens", event_matchers: [{ event: "llm_call" }] },
      events: [{ event: "llm_call", properties: { tokens: 7 } }],
    },
  });

const Result = QuantitySchema.nullable();

export const PreviewSchema = z
  .object({
    events: z
      .array(
        z.object({
          index: z.int(),
          matched: z.boolean().describe("Whether the metric listens to it and its filters pass."),
          reason: z.string().nullable().describe("Why it does not count; null when it does."),
          value: z.string().nullable().describe("What it adds, or says; for unique the id."),
          running: Result.describe("The result until here."),
          segments: z.array(z.string()).readonly(),
          labels: z.record(z.string(), z.string()),
          is_duplicate: z.boolean().describe("An event with its id came before."),
        }),
      )
      .readonly(),
    result: Result.describe(
      "As it would be read; null when there is nothing to take a maximum, minimum or latest value of.",
    ),
    segments: z.array(z.object({ name: z.string(), color: z.enum(SEGMENT_COLORS), result: Result })).readonly(),
    example_event: z
      .object({
        id: z.string(),
        event: z.string(),
        customer_id: z.string(),
        properties: z.custom<ExampleEvent["properties"]>().meta({ type: "object" }),
      })
      .nullable()
      .describe("An event that the metric counts; null when its filters let none pass."),
    aggregation_line: z.string().describe("The result, worked out: `1 + 2 + 3 = 6`."),
    snippets: z.object({ curl: z.string(), javascript: z.string() }).nullable().describe("Send the example event."),
  })
  .meta({ id: "Preview" });
