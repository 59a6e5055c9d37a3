import * as z from "zod";
import { InstantSchema, QuantitySchema } from "./answer-schema.ts";

export const CycleSchema = z
  .object({ start: InstantSchema, end: InstantSchema.describe("Exclusive.") })
  .meta({ id: "Cycle" });

/** Where a balance stands: what every answer about one begins with. */
export const StandingFields = {
  label: z.string().nullable().describe("Of an allowance `per` label: whose; null for all labels together."),
  limit: QuantitySchema.nullable().describe(
    "What the cycle grants, less what of it paid earlier overage; null: nothing is limited.",
  ),
  carried: QuantitySchema.describe("What the cycle has besides: carried units, top-ups."),
  used: QuantitySchema,
  reserved: QuantitySchema.describe("Held by reservations and leases of this cycle."),
  remaining: QuantitySchema.nullable().describe("What can still be used, never below 0; null: nothing is limited."),
  overage: QuantitySchema.describe("Used beyond the allowance."),
  cycle: CycleSchema,
};

const BucketSchema = z.object({
  id: z.string(),
  kind: z.enum(["base", "carried", "top_up", "adjustment"]),
  origin_cycle: z.int().describe("The cycle that granted the units, counted from the balance's first."),
  units: QuantitySchema.describe("What it had at the start of the cycle, or came with."),
  left: QuantitySchema.describe("What can be used of it."),
  held: QuantitySchema.describe("What reservations and leases hold of it."),
  expires_at: InstantSchema.nullable(),
  reason: z.string().nullable().describe("Why a person granted it."),
});

/** Usage of an old cycle that came when it was final. */
const AdjustmentSchema = z.object({
  for_cycle: InstantSchema.describe("The start of the cycle that it is about."),
  quantity: QuantitySchema,
});

const HoldSchema = z.object({
  id: z.string(),
  kind: z.enum(["reservation", "lease"]),
  holder: z.string().nullable(),
  units: QuantitySchema,
  expires_at: InstantSchema,
});

const PastCycleSchema = z.object({
  limit: StandingFields.limit,
  carried: StandingFields.carried,
  used: StandingFields.used,
  overage: StandingFields.overage,
  cycle: CycleSchema,
  final_at: InstantSchema.describe("Until when it can change: what comes later is an adjustment."),
});

/** A balance as it stands, with everything that it is made of. */
export const BalanceSchema = z
  .object({
    id: z.string().describe("Of the allowance or subscription."),
    metric: z.string(),
    product: z.string().nullable(),
    enforcement: z.enum(["hard", "soft", "monitor"]),
    ...StandingFields,
    next_cycle: z
      .object({
        start: InstantSchema,
        base: QuantitySchema.nullable(),
        carried: QuantitySchema.describe("What would be carried if nothing more was used."),
        debt: QuantitySchema.describe("What of the next base would pay for overage."),
      })
      .nullable()
      .describe("null after the end."),
    buckets: z.array(BucketSchema).describe("In the order in which they are used."),
    totals: z
      .object({
        granted: QuantitySchema,
        burned: QuantitySchema,
        expired: QuantitySchema,
        forfeited: QuantitySchema,
        repaid: QuantitySchema.describe("Of bases, for overage of earlier cycles."),
        held: QuantitySchema.describe("What can still be used, and what is reserved."),
      })
      .describe("Over its life. Always: granted = burned + expired + forfeited + repaid + held."),
    previous: PastCycleSchema.nullable().describe("The cycle before, while it can change."),
    holds: z.array(HoldSchema).describe("Open reservations and leases."),
    adjustments: z.array(AdjustmentSchema).describe("What of the usage is of cycles that were final."),
    rejected_late: QuantitySchema.describe("Usage that came after its cycle was final, where that is rejected."),
    grants: z
      .array(
        z.object({
          id: z.string(),
          amount: QuantitySchema.describe("Below 0 where units were taken away."),
          reason: z.string(),
          expires_at: InstantSchema.nullable(),
          at: InstantSchema,
        }),
      )
      .describe("What people granted or took away, newest first."),
    created_at: InstantSchema,
    ended_at: InstantSchema.nullable(),
  })
  .meta({ id: "Balance" });
export type BalanceAnswer = z.infer<typeof BalanceSchema>;

/** The query of `GET /v1/customers/{id}/balances`. */
export const BalancesQuerySchema = z.strictObject({
  metric: z.string().min(1).optional().describe("Only of the metric with this slug."),
});

export const BalancesSchema = z
  .object({ customer_id: z.string(), as_of: InstantSchema, data: z.array(BalanceSchema) })
  .meta({ id: "Balances" });
