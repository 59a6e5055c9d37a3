import { DECIMAL_PLACES_MAX } from "@tidemark/core/exact";
import { SEGMENT_COLORS } from "@tidemark/core/segment-colors";
import * as z from "zod";
import { InstantSchema } from "./answer-schema.ts";
import { FilterTreeSchema } from "./filter-schema.ts";
import { EXPOSED_KEYS_MAX, GROUP_BY_MAX, MATCHERS_MAX, NAME_LENGTH_MAX, SEGMENTS_MAX } from "./limits.ts";
import { metricFaults } from "./metric-faults.ts";
import { PropertyPathSchema } from "./property-path-schema.ts";
import { nameText, optionalText, plainText } from "./text-schema.ts";

export const SLUG_LENGTH_MAX = 64;

export const SlugSchema = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9_-]{0,63}$/,
    `Must be lower-case letters, digits, _ and -, begin with a letter or digit, and have at most ${SLUG_LENGTH_MAX} characters.`,
  );

const segment = {
  name: nameText(NAME_LENGTH_MAX).describe("What its line is called; unique in the metric."),
  filters: FilterTreeSchema,
};
const ColorSchema = z.enum(SEGMENT_COLORS);

const displayFields = {
  interval_days: z.union([z.literal(7), z.literal(30), z.literal(90)], "Must be 7, 30 or 90."),
  format: z.enum(["numeric", "currency"]),
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/, "Must be a currency code of three capital letters, like EUR.")
    .nullable(),
  style: z.enum(["number", "sparkline"]),
};

/** Every field without its default. */
const fields = {
  name: nameText(NAME_LENGTH_MAX).describe("What people call it."),
  description: optionalText(1000),
  unit: plainText(32).describe("What one of it is called: requests, tokens, GB."),
  type: z
    .enum(["limit_metered", "limit_recurring", "charge_metered", "charge_recurring"])
    .describe("What the metric is for, and so what happens at the end of a cycle."),
  event_matchers: z
    .array(z.strictObject({ event: plainText(NAME_LENGTH_MAX) }))
    .min(1)
    .max(MATCHERS_MAX)
    .describe("An event matches if any of these does."),
  filters: FilterTreeSchema.nullable().meta({
    type: ["object", "null"],
    description: "A FilterTree: what must hold of an event that matches, for it to count.",
  }),
  aggregation: z.enum(["count", "sum", "max", "min", "unique", "latest"]).describe("How events become one quantity."),
  value_property: PropertyPathSchema.nullable().describe("The number; required for sum, max, min and latest."),
  distinct_by: PropertyPathSchema.nullable().describe("Whose different values are counted; required for unique."),
  group_by: z.array(PropertyPathSchema).max(GROUP_BY_MAX).describe("Properties to split usage by."),
  segments: z
    .array(z.strictObject({ ...segment, color: ColorSchema.optional() }))
    .max(SEGMENTS_MAX)
    .describe("Named parts, each a line of its own. An event can be in several."),
  exposed_event_keys: z
    .array(PropertyPathSchema)
    .max(EXPOSED_KEYS_MAX)
    .describe("Properties of an event to show where people look at events."),
  allow_negative: z
    .boolean()
    .describe("Whether usage below zero is shown as it is; otherwise as 0. The stored total keeps its sign."),
  decimal_places: z.int().min(0).max(DECIMAL_PLACES_MAX),
  default_interval: z
    .strictObject({ count: z.int().min(1).max(100), period: z.enum(["days", "weeks", "months", "years"]) })
    .describe("What a usage query spans when it does not say."),
};

const input = {
  ...fields,
  slug: SlugSchema.optional().describe("Made from the name when absent; unique in the project."),
  description: fields.description.default(""),
  unit: fields.unit.default("events"),
  type: fields.type.default("charge_metered"),
  filters: fields.filters.default(null),
  value_property: fields.value_property.default(null),
  distinct_by: fields.distinct_by.default(null),
  group_by: fields.group_by.default([]),
  segments: fields.segments.default([]),
  exposed_event_keys: fields.exposed_event_keys.default([]),
  allow_negative: fields.allow_negative.default(false),
  decimal_places: fields.decimal_places.default(0),
  default_interval: fields.default_interval.default({ count: 30, period: "days" }),
  display: z
    .strictObject({
      interval_days: displayFields.interval_days.default(30),
      format: displayFields.format.default("numeric"),
      currency: displayFields.currency.default(null),
      style: displayFields.style.default("number"),
    })
    .default({ interval_days: 30, format: "numeric", currency: null, style: "number" }),
};

/** What the fields of a metric must be together. */
function checkTogether(metric: Parameters<typeof metricFaults>[0], context: z.RefinementCtx): void {
  for (const { path, detail } of metricFaults(metric))
    context.addIssue({ code: "custom", path: [...path], message: detail });
}

/** The body of `POST /v1/metrics`. */
export const MetricInputSchema = z
  .strictObject(input)
  .superRefine(checkTogether)
  .meta({
    id: "MetricInput",
    example: {
      name: "Output tokens",
      unit: "tokens",
      event_matchers: [{ event: "llm_call" }],
      filters: { and: [{ property: "status", op: "equals", value: 200 }] },
      aggregation: "sum",
      value_property: "output_tokens",
      group_by: ["model"],
    },
  });
export type MetricInput = z.infer<typeof MetricInputSchema>;

/** A metric to try out, which may have no name yet. */
export const MetricDraftSchema = z
  .strictObject({ ...input, name: fields.name.default("Draft") })
  .superRefine(checkTogether)
  .meta({ id: "MetricDraft", description: "A MetricInput, which may have no name yet." });

/** The body of `PATCH /v1/metrics/{slug}`. The metric that results is checked like a new one. */
export const MetricChangeSchema = z
  .strictObject({
    name: fields.name,
    slug: SlugSchema.describe("The slugs that it had go on naming it."),
    description: fields.description.nullable(),
    unit: fields.unit.nullable(),
    type: fields.type.nullable(),
    event_matchers: fields.event_matchers,
    filters: fields.filters,
    aggregation: fields.aggregation.describe("Cannot change."),
    value_property: fields.value_property,
    distinct_by: fields.distinct_by.describe("Cannot change."),
    group_by: fields.group_by.nullable(),
    segments: fields.segments.nullable(),
    exposed_event_keys: fields.exposed_event_keys.nullable(),
    allow_negative: fields.allow_negative.nullable(),
    decimal_places: fields.decimal_places.describe("Cannot change."),
    default_interval: fields.default_interval.nullable(),
    display: z.strictObject(displayFields).partial().nullable(),
    effective_from: z
      .string()
      .describe(
        "From when on events are counted by the new rules, RFC 3339; five minutes from now, the earliest, when absent. Only with a change of event_matchers, filters, value_property, group_by or segments.",
      ),
  })
  .partial()
  .refine((change) => Object.keys(change).length > 0, "Must change something.")
  .meta({ id: "MetricChange", example: { name: "Tokens out", group_by: ["model", "region"] } });
export type MetricChange = z.infer<typeof MetricChangeSchema>;

/** What people define of a metric, complete. */
const definition = {
  slug: z.string(),
  ...fields,
  segments: z.array(z.object({ ...segment, color: ColorSchema })),
  display: z.object(displayFields),
};

/** A metric as it is answered. */
export const MetricSchema = z
  .object({
    id: z.string(),
    version: z.int().describe("Counts the changes of what is counted."),
    effective_from: InstantSchema.describe("From when on this version counts."),
    ...definition,
    created_at: InstantSchema,
    updated_at: InstantSchema,
  })
  .meta({ id: "Metric" });

/** A metric as it is stored and answered. */
export type MetricDefinition = z.infer<typeof MetricSchema>;

/** One metric, with what it is linked to. */
export const LinkedMetricSchema = MetricSchema.extend({
  products: z
    .array(z.object({ id: z.string(), slug: z.string(), name: z.string(), kind: z.string() }))
    .describe("While there are any, the metric cannot be deleted."),
}).meta({ id: "LinkedMetric" });

/** What a metric counted from when on. */
export const MetricVersionSchema = z
  .object({
    version: z.int(),
    effective_from: InstantSchema,
    counts_from: InstantSchema.nullable().describe(
      "It counts events that happened from here on; null: however long ago.",
    ),
    shown_from: InstantSchema.nullable().describe("Usage is shown by it from here on; null: however long ago."),
    definition: z.object(definition),
    created_at: InstantSchema,
  })
  .meta({ id: "MetricVersion" });
export type MetricVersion = z.infer<typeof MetricVersionSchema>;

/** A metric to begin with. */
export const MetricTemplateSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    purpose: z.string(),
    aggregation: fields.aggregation.nullable(),
    unit: z.string().nullable(),
    metric: z.record(z.string(), z.unknown()).describe("A body for POST /v1/metrics; that of `custom` is blank."),
  })
  .meta({ id: "MetricTemplate" });
