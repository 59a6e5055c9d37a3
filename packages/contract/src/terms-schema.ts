import type { CycleInterval } from "@tidemark/core/cycle";
import * as z from "zod";
import { InstantSchema, QuantitySchema } from "./answer-schema.ts";
import { TimeZoneSchema } from "./customer-schema.ts";
import { CARRIED_CYCLES_MAX, CYCLE_COUNT_MAX, GRACE_SECONDS_MAX } from "./limits.ts";
import { PropertyPathSchema } from "./property-path-schema.ts";

/** Digits that a double keeps: a JSON number with more of them may not be the one that was sent. */
const NUMBER_DIGITS_MAX = 15;

const NO_DECIMAL = `Must be a decimal, as text when it has more than ${NUMBER_DIGITS_MAX} digits.`;

/** A quantity as a request writes it. How many places it can have depends on the metric. */
export const QuantityInputSchema = z
  .union(
    [
      z.string().regex(/^-?\d{1,30}(\.\d{1,30})?$/, { message: NO_DECIMAL, abort: true }),
      z.number().refine(isKept, { message: NO_DECIMAL, abort: true }),
    ],
    NO_DECIMAL,
  )
  .meta({ id: "QuantityInput", description: "A decimal, in the metric's unit.", example: "1000" });

/** Whether a double tells every digit that was sent. */
function isKept(value: number): boolean {
  return String(value).replaceAll(/^-?0\.0*|\D/g, "").length <= NUMBER_DIGITS_MAX;
}

export const CycleIntervalSchema = z
  .strictObject({
    count: z.int().min(1),
    period: z.enum(["days", "weeks", "months", "years"]),
  })
  .superRefine(({ count, period }: CycleInterval, context) => {
    const max = CYCLE_COUNT_MAX[period];
    if (count > max)
      context.addIssue({ code: "custom", path: ["count"], message: `Must be at most ${max} ${period}: three years.` });
  })
  .meta({ id: "CycleInterval", example: { count: 1, period: "months" } });

/** A point in time of a request, RFC 3339; it is read where it is used. */
export const InstantInputSchema = z.string().max(40);

/** How cycles follow each other, as a request says it. */
export const CycleInputSchema = z.strictObject({
  interval: CycleIntervalSchema.optional().describe("A month when absent."),
  anchor: InstantInputSchema.optional().describe(
    "Where a cycle begins, RFC 3339; the others follow from it, also those before. Now when absent, or as it was.",
  ),
  time_zone: TimeZoneSchema.optional().describe(
    "In whose calendar the interval is added; the customer's when absent, or else the project's.",
  ),
});
export type CycleInput = z.infer<typeof CycleInputSchema>;

/** The same as it is answered. */
export const CycleRuleSchema = z.object({
  interval: CycleIntervalSchema,
  anchor: InstantSchema,
  time_zone: z.string(),
});

const overage = z
  .enum(["forgive", "debit"])
  .describe("`forgive`: what was used beyond the allowance ends with its cycle. `debit`: it reduces the next base.");
const expiresAfter = z
  .int()
  .min(0)
  .max(CARRIED_CYCLES_MAX)
  .nullable()
  .describe("Cycles after their own in which carried units can be used; null: for ever.");
const PercentSchema = z.strictObject({ percent: z.int().min(0).max(10_000) });
const CAP = "The most that carried units can come to: a quantity, or per cent of the base; null: no limit.";

const CarryoverInputSchema = z.strictObject({
  cap: z
    .union([QuantityInputSchema, PercentSchema], 'Must be a decimal, {"percent": 50} or null.')
    .nullable()
    .default(null)
    .describe(CAP),
  expires_after: expiresAfter.default(null),
  overage: overage.default("forgive"),
});

const CarryoverSchema = z.object({
  cap: z.union([QuantitySchema, PercentSchema]).nullable().describe(CAP),
  expires_after: expiresAfter,
  overage,
});

const shared = {
  enforcement: z
    .enum(["hard", "soft", "monitor"])
    .describe("`hard` never admits beyond the allowance, `soft` admits and says so, `monitor` is not asked."),
  unavailable: z.enum(["open", "closed"]).describe("What a decision is when the customer's meter cannot be reached."),
  late: z
    .enum(["adjust", "current", "reject"])
    .describe(
      "What becomes of usage whose cycle is final: a visible adjustment of the current cycle, usage of the current cycle, or nothing.",
    ),
  grace_seconds: z.int().min(0).max(GRACE_SECONDS_MAX).describe("How long after its end a cycle can still change."),
  per: PropertyPathSchema.nullable().describe(
    "A label of the metric whose values have the allowance each; null: labels split reports only.",
  ),
  starts_from: z
    .enum(["empty", "last"])
    .describe("What a cycle of a maximum begins with: nothing, or the value that the one before ended with."),
};
const CARRYOVER = "What becomes of units that are left at the end of a cycle; null: they are forfeited.";

/** Terms in a request. What is absent has the default of the metric's type, or stays where something is changed. */
export const TermsInputFields = {
  enforcement: shared.enforcement.optional(),
  carryover: CarryoverInputSchema.nullable().optional().describe(CARRYOVER),
  unavailable: shared.unavailable.optional(),
  late: shared.late.optional(),
  grace_seconds: shared.grace_seconds.optional(),
  per: shared.per.optional(),
  starts_from: shared.starts_from.optional(),
};

/** Terms in an answer. */
export const TermsFields = { ...shared, carryover: CarryoverSchema.nullable().describe(CARRYOVER) };
