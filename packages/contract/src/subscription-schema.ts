import * as z from "zod";
import { InstantSchema, QuantitySchema } from "./answer-schema.ts";
import { StandingFields } from "./balance-schema.ts";
import { TimeZoneSchema } from "./customer-schema.ts";
import { NAME_LENGTH_MAX } from "./limits.ts";
import { PriceSchema } from "./price-schema.ts";
import { InstantInputSchema, CycleRuleSchema, TermsFields } from "./terms-schema.ts";

/** The body of `POST /v1/customers/{id}/subscriptions`. */
export const SubscriptionInputSchema = z
  .strictObject({
    product: z.string().min(1).max(NAME_LENGTH_MAX).describe("The product's slug."),
    anchor: InstantInputSchema.optional().describe(
      "Where a cycle begins, RFC 3339. Now when absent; with `replaces` that of the other one, unless `change` is restart.",
    ),
    time_zone: TimeZoneSchema.optional().describe("The customer's when absent, or else the project's."),
    replaces: z
      .string()
      .min(1)
      .max(NAME_LENGTH_MAX)
      .optional()
      .describe("The subscription that this one takes the place of, with its usage and its units."),
    change: z
      .enum(["keep", "restart", "prorate"])
      .optional()
      .describe(
        "With `replaces`. `keep` (when absent): the cycle goes on under the new terms. `restart`: a new cycle begins now. " +
          "`prorate`: the cycle goes on with each base for its share of time.",
      ),
  })
  .superRefine(({ replaces, change }, context) => {
    if (change !== undefined && replaces === undefined)
      context.addIssue({ code: "custom", path: ["change"], message: "Goes only with `replaces`." });
  })
  .meta({ id: "SubscriptionInput", example: { product: "api_usage", anchor: "2026-01-31T00:00:00Z" } });
export type SubscriptionInput = z.infer<typeof SubscriptionInputSchema>;

/** A subscription as it is answered. */
export const SubscriptionSchema = z
  .object({
    id: z.string(),
    product: z.string().describe("The slug that the product had when this was made or changed."),
    name: z.string().describe("The product's name of then."),
    metric: z.string().nullable().describe("null for a product without a metric."),
    prices: z
      .array(PriceSchema)
      .describe("Those that the product had: a product that changes later changes later ones."),
    charge_on: z.enum(["total", "delta"]),
    cycle: CycleRuleSchema,
    allowance: z
      .object({ base: QuantitySchema, ...TermsFields })
      .nullable()
      .describe("What it may use; null: nothing is limited."),
    created_at: InstantSchema,
    ended_at: InstantSchema.nullable(),
    standing: z
      .array(z.object(StandingFields))
      .describe("Where its balance stands: none without a metric and after its end, several `per` label."),
  })
  .meta({ id: "Subscription" });
export type Subscription = z.infer<typeof SubscriptionSchema>;
