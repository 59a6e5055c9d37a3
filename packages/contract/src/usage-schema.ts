import * as z from "zod";
import { CustomerIdSchema, InstantSchema, QuantitySchema } from "./answer-schema.ts";
import { TimeZoneSchema } from "./customer-schema.ts";
import { RANGE_DAYS_MAX } from "./limits.ts";
import { LABEL_FILTERS_MAX } from "./query-limits.ts";

/** What an answer with rows can be written as. */
export const FormatSchema = z
  .enum(["json", "csv", "ndjson"], "Must be json, csv or ndjson.")
  .optional()
  .describe("Goes before the Accept header.");

/** The query of `GET /v1/usage`. Times are read in the query's time zone, so they stay text here. */
export const UsageQuerySchema = z.strictObject({
  metric: z.string().min(1).describe("The metric's slug."),
  customer_id: CustomerIdSchema.optional().describe("Only this customer, live; all customers together when absent."),
  from: z
    .string()
    .optional()
    .describe("RFC 3339 or YYYY-MM-DD. The metric's default interval before `to` when absent."),
  to: z
    .string()
    .optional()
    .describe(`RFC 3339 or YYYY-MM-DD, exclusive; now when absent. At most ${RANGE_DAYS_MAX} days after \`from\`.`),
  grain: z.enum(["hour", "day", "week", "month"], "Must be hour, day, week or month.").default("day"),
  tz: TimeZoneSchema.optional().describe("In whose days, weeks and months usage is cut; the project's when absent."),
  group_by: z.string().min(1).optional().describe("One or more of the metric's labels, joined by commas."),
  segment: z.string().min(1).optional().describe("Only events in this segment of the metric, by its name."),
  filter: z
    .union([z.string(), z.array(z.string()).max(LABEL_FILTERS_MAX)])
    .optional()
    .transform((value) => (value === undefined ? [] : [value].flat()))
    .describe("Only events with this value of a label, as label:value; can be given for several labels."),
  format: FormatSchema,
});
export type UsageQuery = z.infer<typeof UsageQuerySchema>;

const UsageRowSchema = z.object({
  start: InstantSchema,
  end: InstantSchema.describe("Exclusive."),
  value: QuantitySchema.nullable().describe("null where a max, min or latest has nothing to measure."),
  group: z.record(z.string(), z.string()).optional().describe("The labels, when grouped."),
});
export type UsageRow = z.infer<typeof UsageRowSchema>;

export const UsageSchema = z
  .object({
    metric: z.string(),
    unit: z.string(),
    customer_id: z.string().nullable(),
    segment: z.string().nullable(),
    grain: z.enum(["hour", "day", "week", "month"]),
    time_zone: z.string(),
    from: InstantSchema.describe(
      "`from` as it was used: usage is kept by the hour, so part of an hour is taken whole.",
    ),
    to: InstantSchema.describe("`to` as it was used."),
    as_of: InstantSchema.describe(
      "When the figures were read. Without `live`, meters may know what they have not sent yet.",
    ),
    approximate: z.boolean().describe("Whether any value is an estimate, as distinct counts of many ids are."),
    live: z.boolean().describe("Whether the customer's meter was asked and answered."),
    rejected: z.int().describe("Events of the UTC days of this range that matched the metric and had no usable value."),
    overflow: z
      .boolean()
      .describe(
        "Whether a customer's day of this range is beyond 64 bits. Sums over all customers leave it out; one customer's are exact.",
      ),
    data: z.array(UsageRowSchema),
  })
  .meta({ id: "Usage" });
export type Usage = z.infer<typeof UsageSchema>;
