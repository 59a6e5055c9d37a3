import * as z from "zod";
import { CursorSchema, CustomerIdSchema, DateSchema, InstantSchema, wholeNumber } from "./answer-schema.ts";
import { MEMORY_DAYS, PAGE_LIMIT_MAX } from "./limits.ts";
import { PAGE_LIMIT_DEFAULT, REJECTED_DAYS_DEFAULT } from "./query-limits.ts";

/** The query of `GET /v1/events/rejected`. */
export const RejectedQuerySchema = z.strictObject({
  metric: z.string().min(1).optional().describe("Only this metric, by its slug; required without `customer_id`."),
  customer_id: CustomerIdSchema.optional().describe("Only this customer; required without `metric`."),
  days: wholeNumber(1, MEMORY_DAYS).default(REJECTED_DAYS_DEFAULT).describe("How many days of UTC, today included."),
  limit: wholeNumber(1, PAGE_LIMIT_MAX).default(PAGE_LIMIT_DEFAULT).describe("Rows of the page."),
  cursor: CursorSchema,
});

export const RejectedEventsSchema = z
  .object({
    metric: z.string().describe("The metric's slug."),
    customer_id: z.string(),
    day: DateSchema.describe("Of UTC."),
    code: z.string().describe("`value_missing`, `not_a_number`, `too_precise`, `out_of_range` or `not_an_id`."),
    reason: z.string().describe("What is wrong, and what to do."),
    events: z.int().describe("How many events of this day, for this reason."),
    example: z
      .object({
        id: z.string(),
        at: InstantSchema.describe("When it happened."),
        found: z.string().describe("What was there in place of a value."),
      })
      .describe("The latest of them."),
  })
  .meta({ id: "RejectedEvents" });
export type RejectedEvents = z.infer<typeof RejectedEventsSchema>;

export const CustomerEventsSchema = z
  .object({
    data: z
      .array(
        z.object({
          id: z.string(),
          event: z.string(),
          timestamp: InstantSchema,
          metrics: z.array(z.string()).describe("Slugs of the metrics that counted it."),
          rejected: z.array(z.string()).describe("Slugs of the metrics that it matched without a usable value."),
          properties: z.record(z.string(), z.string()).describe("What these metrics show of it, by path."),
        }),
      )
      .describe("Newest first."),
    as_of: InstantSchema,
  })
  .meta({ id: "CustomerEvents" });
export type CustomerEvents = z.infer<typeof CustomerEventsSchema>;
