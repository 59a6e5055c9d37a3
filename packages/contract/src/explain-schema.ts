import * as z from "zod";
import { InstantSchema, QuantitySchema } from "./answer-schema.ts";
import { BalanceSchema, CycleSchema } from "./balance-schema.ts";
import { ID_LENGTH_MAX } from "./limits.ts";
import { MetricSchema } from "./metric-schema.ts";
import { InstantInputSchema } from "./terms-schema.ts";
import { ThresholdSchema } from "./threshold-schema.ts";

/** The query of `GET /v1/customers/{id}/explain`. */
export const ExplainQuerySchema = z.strictObject({
  metric: z.string().min(1).describe("The metric's slug."),
  at: InstantInputSchema.optional().describe("The latest decisions until then, RFC 3339; until now when absent."),
  id: z.string().min(1).max(ID_LENGTH_MAX).optional().describe("Only the decision with this id."),
});

const DecisionSchema = z.object({
  id: z.string().nullable(),
  kind: z.enum(["consume", "reserve", "commit", "release", "report"]),
  at: InstantSchema,
  allowed: z.boolean(),
  because: z.string().describe("Why, in words."),
  reason: z.enum(["limit_reached", "unknown_customer", "no_allowance", "meter_unavailable"]).nullable(),
  amounts: z
    .array(z.object({ metric: z.string(), amount: QuantitySchema }))
    .describe("What was counted or set aside, of every metric that it was about."),
  paid: z
    .array(z.object({ bucket: z.string().nullable(), units: QuantitySchema }))
    .describe("Which buckets of the balance it came from; null: none, it is overage."),
  limit: QuantitySchema.nullable(),
  carried: QuantitySchema,
  used: QuantitySchema.describe("Right after the decision, as all of these."),
  reserved: QuantitySchema,
  remaining: QuantitySchema.nullable(),
  overage: QuantitySchema,
  enforcement: z.enum(["hard", "soft", "monitor"]).nullable(),
  enforced: z.boolean(),
  cycle: CycleSchema.nullable(),
});
export type ExplainedDecision = z.infer<typeof DecisionSchema>;

const definition = MetricSchema.shape;

/** What was counted, and why decisions were what they were. */
export const ExplanationSchema = z
  .object({
    customer_id: z.string(),
    metric: z.string(),
    as_of: InstantSchema,
    counts: z
      .object({
        version: definition.version,
        from: InstantSchema.nullable().describe("It counts what happened from here on; null: however long ago."),
        aggregation: definition.aggregation,
        event_matchers: definition.event_matchers,
        filters: definition.filters,
        value_property: definition.value_property,
        distinct_by: definition.distinct_by,
      })
      .describe("What the version of the metric counts that is in force."),
    balances: z.array(BalanceSchema).describe("As they stand now."),
    thresholds: z.array(
      ThresholdSchema.pick({ id: true, version: true, name: true, operator: true, value: true, percent: true }),
    ),
    decisions: z.array(DecisionSchema).describe("Newest first, as far as they are remembered."),
  })
  .meta({ id: "Explanation" });
export type Explanation = z.infer<typeof ExplanationSchema>;
