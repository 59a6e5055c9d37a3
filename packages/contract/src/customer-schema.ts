import { isTimeZone } from "@tidemark/core/time-zone";
import * as z from "zod";
import { DateSchema, InstantSchema, pageOf, PageQuerySchema, QuantitySchema } from "./answer-schema.ts";
import { NAME_LENGTH_MAX } from "./limits.ts";
import { optionalText, plainText } from "./text-schema.ts";
import { ATTRIBUTE_KEY_LENGTH_MAX, ATTRIBUTE_LENGTH_MAX, ATTRIBUTES_MAX } from "./query-limits.ts";

/** A time zone as a request names it. */
export const TimeZoneSchema = z
  .string()
  .refine(isTimeZone, "Must be a time zone of the IANA database, like Europe/Berlin or UTC.");

/** An id of a customer who may be new: what an event can have. */
export const NewCustomerIdSchema = optionalText(NAME_LENGTH_MAX)
  .min(1)
  .refine((id) => id === id.trim(), "Must not begin or end with white space.")
  .describe("Your id of the customer.");

const AttributesSchema = z
  .record(
    plainText(ATTRIBUTE_KEY_LENGTH_MAX),
    z.union(
      [z.string().max(ATTRIBUTE_LENGTH_MAX), z.number(), z.boolean(), z.null()],
      `Must be a text of at most ${ATTRIBUTE_LENGTH_MAX} characters, a number, true, false or null.`,
    ),
  )
  .refine((value) => Object.keys(value).length <= ATTRIBUTES_MAX, `Must have at most ${ATTRIBUTES_MAX} attributes.`);

/** The body of `PATCH /v1/customers/{id}`: what is absent stays, null clears. */
export const CustomerChangeSchema = z
  .strictObject({
    name: plainText(NAME_LENGTH_MAX).nullable(),
    plan: plainText(NAME_LENGTH_MAX).nullable(),
    time_zone: TimeZoneSchema.nullable(),
    attributes: AttributesSchema.nullable().describe("Replaces all attributes."),
  })
  .partial()
  .refine((change) => Object.keys(change).length > 0, "Must change something: name, plan, time_zone or attributes.")
  .meta({ id: "CustomerChange", example: { name: "Acme Corp", plan: "pro", time_zone: "Europe/Berlin" } });

export const CustomerSchema = z
  .object({
    customer_id: z.string(),
    name: z.string().nullable(),
    plan: z.string().nullable(),
    time_zone: z.string().nullable(),
    attributes: AttributesSchema,
    first_seen_at: InstantSchema.nullable().describe("The earliest event of the batch that was its first."),
    created_at: InstantSchema,
  })
  .meta({ id: "Customer" });
export type Customer = z.infer<typeof CustomerSchema>;

/** The query of `GET /v1/customers`. */
export const CustomersQuerySchema = PageQuerySchema.extend({
  q: optionalText(NAME_LENGTH_MAX)
    .default("")
    .describe(
      "Only customers whose id begins with this, or whose name contains it; A to Z in the name in either case.",
    ),
  plan: optionalText(NAME_LENGTH_MAX).optional().describe("Only customers on this plan."),
  metrics: z
    .string()
    .min(1)
    .optional()
    .describe("Metrics to add a column of each, by their slugs and joined by commas, or `all`."),
  sort: z
    .string()
    .regex(
      /^-?(?:metric:)?[a-z0-9][a-z0-9_-]*$/,
      "Must be a field or a metric's slug, with - before it for descending.",
    )
    .default("customer_id")
    .describe(
      "customer_id, name, first_seen_at, last_seen_at (with `metrics`), or a metric's slug, with `-` before it for " +
        "descending. A metric with the name of a field is written metric:slug. Who has no value comes last.",
    ),
  min: z.string().optional().describe("Only customers with at least this much of the metric that they are sorted by."),
});
export type CustomersQuery = z.infer<typeof CustomersQuerySchema>;

const DisplaySchema = z.object({
  format: z.enum(["numeric", "currency"]),
  currency: z.string().nullable(),
  style: z.enum(["number", "sparkline"]),
});

const ColumnUsageSchema = z.object({
  value: QuantitySchema.nullable().describe("Usage of the metric's own interval, today's until now."),
  previous: QuantitySchema.nullable().describe("Usage of as many days before."),
  change: z
    .string()
    .nullable()
    .describe("Of both without their last day, because today is not over; null when there was nothing before."),
  approximate: z.boolean(),
});
export type ColumnUsage = z.infer<typeof ColumnUsageSchema>;

/** A customer in a list, with what was asked for beside it. */
export const ListedCustomerSchema = CustomerSchema.extend({
  last_seen_at: InstantSchema.nullable()
    .optional()
    .describe("With `metrics`: the latest event that counted in one of them, on a UTC day of its interval."),
  usage: z.record(z.string(), ColumnUsageSchema).optional().describe("With `metrics`: by slug."),
}).meta({ id: "ListedCustomer" });
export type ListedCustomer = z.infer<typeof ListedCustomerSchema>;

/** The answer of `GET /v1/customers`. */
export const CustomersSchema = pageOf(ListedCustomerSchema)
  .extend({
    metrics: z
      .array(
        z.object({
          metric: z.string().describe("The metric's slug."),
          name: z.string().describe("The column's title."),
          unit: z.string(),
          days: z.int().describe("Its interval, today included."),
          ...DisplaySchema.shape,
        }),
      )
      .optional()
      .describe("With `metrics`: the columns, in their order."),
    time_zone: z.string().optional().describe("With `metrics`: in whose days intervals are cut."),
    as_of: InstantSchema.optional().describe("With `metrics`: when the figures were read."),
  })
  .meta({ id: "Customers" });
export type Customers = z.infer<typeof CustomersSchema>;

/** The query of `GET /v1/customers/{id}/usage`. */
export const CustomerUsageQuerySchema = z.strictObject({
  days: z
    .enum(["7", "30", "90"], "Must be 7, 30 or 90.")
    .optional()
    .describe("How many days, today included; each metric's own display interval when absent."),
});

const MetricUsageSchema = z.object({
  metric: z.string().describe("The metric's slug."),
  name: z.string(),
  unit: z.string(),
  days: z.int().describe("How many days, today included."),
  from: DateSchema,
  ...DisplaySchema.shape,
  value: QuantitySchema.nullable().describe("Usage of all days, today's until now."),
  previous: QuantitySchema.nullable().describe("Usage of as many days before."),
  change: z
    .string()
    .nullable()
    .describe(
      "`compared.value / compared.previous - 1` as a decimal of at most 4 places; null when there was nothing before.",
    ),
  compared: z
    .object({ value: QuantitySchema.nullable(), previous: QuantitySchema.nullable() })
    .describe("What `change` compares: both windows without their last day, because today is not over."),
  approximate: z.boolean().describe("Whether any of these is an estimate."),
  series: z
    .array(z.object({ day: DateSchema, value: QuantitySchema.nullable() }))
    .describe("Every day; the last is today. null where a max, min or latest has nothing to measure."),
});

export const CustomerUsageSchema = z
  .object({
    customer_id: z.string(),
    days: z.int().nullable().describe("As it was asked; null for each metric's own."),
    from: DateSchema.describe("The first day of the longest interval."),
    to: DateSchema.describe("Today, which is not over."),
    time_zone: z.string(),
    as_of: InstantSchema,
    live: z.boolean().describe("Whether the customer's meter answered; otherwise the figures are those it last sent."),
    data: z.array(MetricUsageSchema),
  })
  .meta({ id: "CustomerUsage" });
export type CustomerUsage = z.infer<typeof CustomerUsageSchema>;
