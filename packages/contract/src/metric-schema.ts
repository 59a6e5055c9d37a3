import { DECIMAL_PLACES_MAX } from "@tidemark/core/exact";
import * as z from "zod";
import { GROUP_BY_MAX, NAME_LENGTH_MAX } from "./limits.ts";

/** A dotted path into an event's properties. */
const PropertyPath = z
  .string()
  .regex(/^[A-Za-z0-9_$-]{1,64}(\.[A-Za-z0-9_$-]{1,64}){0,7}$/, "a property name, or several joined by dots")
  .refine((path) => !path.split(".").some((key) => ["__proto__", "prototype", "constructor"].includes(key)), "not a property an event can have");

export const SlugSchema = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, "lower-case letters, digits, _ and -, at most 64");

/** The body of `POST /v1/metrics`. */
export const MetricInputSchema = z
  .strictObject({
    name: z.string().trim().min(1).max(NAME_LENGTH_MAX),
    slug: SlugSchema.optional().describe("Made from the name when absent; unique in the project."),
    description: z.string().max(1000).default(""),
    unit: z.string().trim().min(1).max(32).default("events"),
    type: z.enum(["limit_metered", "limit_recurring", "charge_metered", "charge_recurring"]).default("charge_metered"),
    event_matchers: z
      .array(z.strictObject({ event: z.string().min(1).max(NAME_LENGTH_MAX) }))
      .min(1)
      .max(20)
      .describe("An event matches if any of these does."),
    aggregation: z.enum(["count", "sum"]),
    value_property: PropertyPath.nullable().default(null).describe("The number to sum; required for sum."),
    group_by: z.array(PropertyPath).max(GROUP_BY_MAX).default([]).describe("Properties to split usage by."),
    allow_negative: z.boolean().default(false),
    decimal_places: z.int().min(0).max(DECIMAL_PLACES_MAX).default(0),
    default_interval: z
      .strictObject({ count: z.int().min(1).max(100), period: z.enum(["days", "weeks", "months", "years"]) })
      .default({ count: 30, period: "days" }),
    display: z
      .strictObject({
        interval_days: z.union([z.literal(7), z.literal(30), z.literal(90)]).default(30),
        format: z.enum(["numeric", "currency"]).default("numeric"),
        currency: z.string().regex(/^[A-Z]{3}$/).nullable().default(null),
        style: z.enum(["number", "sparkline"]).default("number"),
      })
      .default({ interval_days: 30, format: "numeric", currency: null, style: "number" }),
  })
  .refine((metric) => metric.aggregation !== "sum" || metric.value_property !== null, {
    path: ["value_property"],
    message: "a sum needs the property to sum",
  })
  .refine((metric) => metric.aggregation !== "count" || metric.value_property === null, {
    path: ["value_property"],
    message: "a count has no value property",
  })
  .refine((metric) => new Set(metric.group_by).size === metric.group_by.length, { path: ["group_by"], message: "a label is named twice" });

export type MetricInput = z.infer<typeof MetricInputSchema>;

/** A metric as it is stored and answered. */
export interface MetricDefinition extends Omit<MetricInput, "slug"> {
  readonly id: string;
  readonly slug: string;
  readonly version: number;
  /** RFC 3339. */
  readonly created_at: string;
  readonly updated_at: string;
}
