import * as z from "zod";
import { DateSchema, InstantSchema, QuantitySchema } from "./answer-schema.ts";
import { CycleSchema, StandingFields } from "./balance-schema.ts";

/** What every report says of itself. */
const about = {
  metric: z.string(),
  name: z.string().describe("The metric's name."),
  unit: z.string(),
  aggregation: z.string().describe("count, sum, max, min, unique or latest; only the first two add up over customers."),
  days: z.int(),
  from: DateSchema,
  to: DateSchema.describe("Included."),
  time_zone: z.string(),
  as_of: InstantSchema.describe("When the figures were read; meters may know what they have not sent yet."),
  approximate: z.boolean().describe("Whether any figure is an estimate, as distinct counts of many ids are."),
};

const rule = z.string().describe("By what customers are listed or judged, with its numbers.");
const count = z.int().describe("How many customers the rule finds, those beyond `limit` as well.");

const customer = {
  rank: z.int(),
  customer_id: z.string(),
  name: z.string().nullable(),
};

const last_seen_at = InstantSchema.describe("The latest counted event.");
const share = (whole: string) =>
  z.string().nullable().describe(`Of ${whole}; 0.1 is ten per cent. null where there is nothing to divide by.`);

const TopCustomerSchema = z.object({
  ...customer,
  total: QuantitySchema,
  active_days: z.int().describe("Days with at least one counted event."),
  last_seen_at,
  trend: z.enum(["new", "dormant", "check_in", "growing", "declining", "steady"]),
  trend_detail: z.object({
    change: z
      .string()
      .nullable()
      .describe("On the days before, both without their last day; 0.1 is ten per cent more."),
    rule: z.string().describe("The rule that decided, with its numbers."),
  }),
  series: z.array(z.object({ day: DateSchema, value: QuantitySchema })).describe("Every day; the last is today."),
});

export const TopCustomersSchema = z
  .object({
    report: z.literal("top-customers"),
    ...about,
    incomplete_day: DateSchema.describe("Today, which is not over."),
    data: z.array(TopCustomerSchema).describe("By total, the largest first; equals by their id."),
  })
  .meta({ id: "TopCustomers" });
export type TopCustomersAnswer = z.infer<typeof TopCustomersSchema>;

export const ComparedSchema = z
  .object({
    report: z.enum(["growing", "dropping"]),
    ...about,
    previous_from: DateSchema.describe("The days before that these are compared with: as many."),
    previous_to: DateSchema.describe("Included."),
    rule,
    count,
    data: z
      .array(
        z.object({
          ...customer,
          value: QuantitySchema.nullable().describe("null where a max, min or latest has nothing to measure."),
          previous: QuantitySchema.describe("In the days before; above 0."),
          change: z.string().describe("On the days before; 0.1 is ten per cent more, -1 is nothing left."),
          last_seen_at,
        }),
      )
      .describe("By change, the largest first; equals by what was used before, the most first, and then by id."),
  })
  .meta({ id: "ComparedCustomers" });
export type ComparedAnswer = z.infer<typeof ComparedSchema>;

export const DormantSchema = z
  .object({
    report: z.literal("dormant"),
    ...about,
    rule,
    count,
    data: z
      .array(
        z.object({
          ...customer,
          total: QuantitySchema,
          active_days: z.int().describe("Days with at least one counted event."),
          last_seen_at,
          silent_days: z.int().describe("Whole days since then."),
        }),
      )
      .describe("By total, the largest first; equals by their id."),
  })
  .meta({ id: "DormantCustomers" });
export type DormantAnswer = z.infer<typeof DormantSchema>;

export const NearLimitSchema = z
  .object({
    report: z.literal("near-limit"),
    ...about,
    rule,
    unanswered: z.int().describe("Customers whose meter did not answer, so that nobody knows."),
    more: z.boolean().describe("Whether there were more customers to ask than one answer asks."),
    count: z.int().describe("How many balances are near their limit, those beyond `limit` as well."),
    data: z
      .array(
        z.object({
          ...customer,
          balance_id: z
            .string()
            .nullable()
            .describe("Of the allowance or subscription; null in a publication with aliases, as `product` is."),
          product: z.string().nullable(),
          label: StandingFields.label,
          enforcement: z.enum(["hard", "soft", "monitor"]),
          used: StandingFields.used,
          reserved: StandingFields.reserved,
          allowance: QuantitySchema.describe("What the cycle has: its base, and what was carried or granted."),
          share: share("the allowance, cut off after four places"),
          remaining: QuantitySchema,
          cycle: CycleSchema,
        }),
      )
      .describe("By share, the largest first; equals by customer."),
  })
  .meta({ id: "CustomersNearLimit" });
export type NearLimitAnswer = z.infer<typeof NearLimitSchema>;

export const HeavyLabelsSchema = z
  .object({
    report: z.literal("heavy-labels"),
    ...about,
    label: z.string(),
    rule,
    data: z
      .array(
        z.object({
          ...customer,
          total: QuantitySchema,
          labels: z
            .array(z.object({ label: z.string(), value: QuantitySchema, share: share("the customer's total") }))
            .describe('The largest first; what is not among them is together, as "(other)", last.'),
        }),
      )
      .describe("By total, the largest first; equals by their id."),
  })
  .meta({ id: "HeavyLabels" });
export type HeavyLabelsAnswer = z.infer<typeof HeavyLabelsSchema>;

export const HourOfDaySchema = z
  .object({
    report: z.literal("hour-of-day"),
    ...about,
    rule,
    data: z
      .array(
        z.object({
          ...customer,
          total: QuantitySchema,
          hours: z.array(QuantitySchema).length(24).describe("From midnight on, in `time_zone`, of all days together."),
          peak_hour: z.int().nullable().describe("The busiest, 0 to 23; the first of equals."),
          peak_share: share("the total"),
          busiest_share: share("the total, of the three busiest hours together"),
          rhythm: z.enum(["bursty", "steady"]).nullable(),
        }),
      )
      .describe("By total, the largest first; equals by their id."),
  })
  .meta({ id: "HoursOfDay" });
export type HourOfDayAnswer = z.infer<typeof HourOfDaySchema>;

export const ErrorRateSchema = z
  .object({
    report: z.literal("error-rate"),
    ...about,
    rule,
    data: z
      .array(
        z.object({
          ...customer,
          total: QuantitySchema,
          errors_4xx: QuantitySchema,
          errors_5xx: QuantitySchema,
          rate: share("the total, of both together"),
        }),
      )
      .describe("By total, the largest first; equals by their id."),
  })
  .meta({ id: "ErrorRates" });
export type ErrorRateAnswer = z.infer<typeof ErrorRateSchema>;
