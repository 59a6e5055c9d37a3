import { DECIMAL_PLACES_MAX } from "@tidemark/core/exact";
import * as z from "zod";
import { InstantSchema } from "./answer-schema.ts";
import { GROUP_BY_MAX, NAME_LENGTH_MAX } from "./limits.ts";
import { optionalText, plainText } from "./text-schema.ts";

/** A dotted path into an event's properties. */
const PropertyPath = z
  .string()
  .regex(
    /^[A-Za-z0-9_$-]{1,64}(\.[A-Za-z0-9_$-]{1,64}){0,7}$/,
    "Must be a property's name, or several joined by dots: letters, digits, _, $ and -.",
  )
  .refine(
    (path) => !path.split(".").some((key) => ["__proto__", "prototype", "constructor"].includes(key)),
    "Must not be a name that JavaScript objects have of their own.",
  );

export const SLUG_LENGTH_MAX = 64;

export const SlugSchema = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9_-]{0,63}$/,
    `Must be lower-case letters, digits, _ and -, begin with a letter or digit, and have at most ${SLUG_LENGTH_MAX} characters.`,
  );

const metricFields = {
  name: plainText(NAME_LENGTH_MAX).describe("What people call it."),
  description: optionalText(1000).default(""),
  unit: plainText(32).default("events").describe("What one of it is called: requests, tokens, GB."),
  type: z
    .enum(["limit_metered", "limit_recurring", "charge_metered", "charge_recurring"])
    .default("charge_metered")
    .describe("What the metric is for, and so what happens at the end of a cycle."),
  event_matchers: z
    .array(z.strictObject({ event: plainText(NAME_LENGTH_MAX) }))
    .min(1)
    .max(20)
    .describe("An event matches if any of these does."),
  aggregation: z.enum(["count", "sum"]),
  value_property: PropertyPath.nullable().default(null).describe("The number to sum; required for sum."),
  group_by: z.array(PropertyPath).max(GROUP_BY_MAX).default([]).describe("Properties to split usage by."),
  exposed_event_keys: z
    .array(PropertyPath)
    .max(20)
    .default([])
    .describe("Properties of an event to show where people look at events."),
  // What a metric can leave empty and no more yet: taking a rule without applying it would miscount.
  filters: z.null("Filters are not applied yet: leave them out.").default(null),
  distinct_by: z.null("Distinct counts are not available yet: leave it out.").default(null),
  segments: z.array(z.string()).max(0, "Segments are not available yet: leave them out.").default([]),
  allow_negative: z
    .boolean()
    .default(false)
    .describe("Whether usage below zero is shown as it is; otherwise as 0. The stored total keeps its sign."),
  decimal_places: z.int().min(0).max(DECIMAL_PLACES_MAX).default(0),
  default_interval: z
    .strictObject({
      count: z.int().min(1).max(100),
      period: z.enum(["days", "weeks", "months", "years"]),
    })
    .default({ count: 30, period: "days" })
    .describe("What a usage query spans when it does not say."),
  display: z
    .strictObject({
      interval_days: z.union([z.literal(7), z.literal(30), z.literal(90)], "Must be 7, 30 or 90.").default(30),
      format: z.enum(["numeric", "currency"]).default("numeric"),
      currency: z
        .string()
        .regex(/^[A-Z]{3}$/, "Must be a currency code of three capital letters, like EUR.")
        .nullable()
        .default(null),
      style: z.enum(["number", "sparkline"]).default("number"),
    })
    .refine(({ format, currency }) => format !== "currency" || currency !== null, {
      path: ["currency"],
      message: 'Name the currency when the format is "currency".',
    })
    .default({ interval_days: 30, format: "numeric", currency: null, style: "number" }),
};

/** The body of `POST /v1/metrics`. */
export const MetricInputSchema = z
  .strictObject({
    ...metricFields,
    slug: SlugSchema.optional().describe("Made from the name when absent; unique in the project."),
  })
  .refine((metric) => metric.aggregation !== "sum" || metric.value_property !== null, {
    path: ["value_property"],
    message: "A sum needs the property to sum.",
  })
  .refine((metric) => metric.aggregation !== "count" || metric.value_property === null, {
    path: ["value_property"],
    message: "A count has no value property: leave it out, or use the aggregation sum.",
  })
  .refine((metric) => new Set(metric.group_by).size === metric.group_by.length, {
    path: ["group_by"],
    message: "Names a property twice.",
  })
  .meta({
    id: "MetricInput",
    example: {
      name: "Output tokens",
      unit: "tokens",
      event_matchers: [{ event: "llm_call" }],
      aggregation: "sum",
      value_property: "output_tokens",
      group_by: ["model"],
    },
  });

export type MetricInput = z.infer<typeof MetricInputSchema>;

/** A metric as it is answered. */
export const MetricSchema = z
  .object({
    id: z.string(),
    slug: z.string(),
    version: z.int().describe("Counts the changes of the definition."),
    ...metricFields,
    created_at: InstantSchema,
    updated_at: InstantSchema,
  })
  .meta({ id: "Metric" });

/** A metric as it is stored and answered. */
export type MetricDefinition = z.infer<typeof MetricSchema>;
