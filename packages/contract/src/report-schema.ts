import * as z from "zod";
import { DateSchema, InstantSchema, QuantitySchema, wholeNumber } from "./answer-schema.ts";
import { REPORT_LIMIT_MAX } from "./limits.ts";
import { REPORT_DAYS_MAX, REPORT_LIMIT_DEFAULT } from "./query-limits.ts";
import { FormatSchema } from "./usage-schema.ts";

const DAYS_DEFAULT = 30;

/** The query of `GET /v1/reports/top-customers`. */
export const TopCustomersQuerySchema = z.strictObject({
  metric: z.string().min(1).describe("The metric's slug."),
  days: wholeNumber(1, REPORT_DAYS_MAX).default(DAYS_DEFAULT).describe("How many days, today included."),
  limit: wholeNumber(1, REPORT_LIMIT_MAX).default(REPORT_LIMIT_DEFAULT).describe("How many customers."),
  format: FormatSchema,
});

/** The same as a publication freezes it. */
export const TopCustomersParamsSchema = z.strictObject({
  metric: z.string().min(1).describe("The metric's slug."),
  days: z.int().min(1).max(REPORT_DAYS_MAX).default(DAYS_DEFAULT),
  limit: z.int().min(1).max(REPORT_LIMIT_MAX).default(REPORT_LIMIT_DEFAULT),
});
export type TopCustomersParams = z.infer<typeof TopCustomersParamsSchema>;

const TopCustomerSchema = z.object({
  rank: z.int(),
  customer_id: z.string(),
  name: z.string().nullable(),
  total: QuantitySchema,
  active_days: z.int().describe("Days with at least one counted event."),
  last_seen_at: InstantSchema.describe("The latest counted event."),
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
    metric: z.string(),
    name: z.string().describe("The metric's name."),
    unit: z.string(),
    aggregation: z
      .string()
      .describe("count, sum, max, min, unique or latest; only the first two add up over customers."),
    days: z.int(),
    from: DateSchema,
    to: DateSchema,
    time_zone: z.string(),
    incomplete_day: DateSchema.describe("Today, which is not over."),
    as_of: InstantSchema.describe("When the figures were read; meters may know what they have not sent yet."),
    approximate: z.boolean().describe("Whether any figure is an estimate, as distinct counts of many ids are."),
    data: z.array(TopCustomerSchema).describe("By total, the largest first; equals by their id."),
  })
  .meta({ id: "TopCustomers" });
export type TopCustomersAnswer = z.infer<typeof TopCustomersSchema>;

export const ReportSchema = z
  .object({ name: z.string(), title: z.string(), description: z.string(), params: z.array(z.string()) })
  .meta({ id: "Report" });
