import * as z from "zod";
import { CustomerIdSchema, InstantSchema, QuantitySchema } from "./answer-schema.ts";
import { CycleSchema } from "./balance-schema.ts";
import {
  DECISION_ITEMS_MAX,
  ID_LENGTH_MAX,
  LEASE_RETURN_SECONDS_MAX,
  LEASE_SECONDS_DEFAULT,
  LEASE_SECONDS_MAX,
  RESERVATION_SECONDS_DEFAULT,
  RESERVATION_SECONDS_MAX,
} from "./limits.ts";

/**
 * The bodies of the decision routes, for the description of the API. The ingest Worker checks them by hand: a
 * library would be most of its bundle.
 */

const metric = z.string().describe("The metric's slug.");
const amount = z
  .union([z.number(), z.string()])
  .describe("Units: a number, or a decimal as text. Below 0 to give units of a count or sum back.");
const id = z
  .string()
  .max(ID_LENGTH_MAX)
  .optional()
  .describe(
    "Send the same again to get the same answer, for 42 days. An event with this id completes what was counted.",
  );
const properties = z
  .record(z.string(), z.unknown())
  .nullable()
  .optional()
  .describe("For the metric's labels, segments, and whose distinct value it is.");

const one = { customer_id: CustomerIdSchema, metric, amount: amount.optional().describe("1 when absent.") };
const several = z
  .array(z.strictObject({ metric, amount: amount.optional() }))
  .min(1)
  .max(DECISION_ITEMS_MAX)
  .optional()
  .describe("Instead of `metric` and `amount`: several metrics, all of it or nothing.");

export const CheckInputSchema = z
  .strictObject({ ...one, metric: metric.optional(), items: several, properties })
  .meta({ id: "CheckInput", example: { customer_id: "acme", metric: "api_requests" } });

export const ConsumeInputSchema = z
  .strictObject({
    ...one,
    metric: metric.optional(),
    items: several,
    id,
    properties,
    returns: z
      .string()
      .nullable()
      .optional()
      .describe("With a negative amount: the id of the consume that it gives back."),
    enforce: z
      .boolean()
      .optional()
      .describe(
        "false: it has been admitted already, by somebody who could not ask; it counts whether it fits or not.",
      ),
  })
  .meta({ id: "ConsumeInput", example: { customer_id: "acme", metric: "api_requests", amount: 1, id: "req_8f3" } });

const standing = {
  allowed: z.boolean(),
  metric,
  reason: z.enum(["limit_reached", "unknown_customer", "no_allowance", "meter_unavailable"]).optional(),
  enforcement: z.enum(["hard", "soft", "monitor"]).nullable(),
  enforced: z.boolean().describe("False when nobody decided: the meter could not be reached."),
  limit: QuantitySchema.nullable().describe("null: nothing is limited."),
  carried: QuantitySchema,
  used: QuantitySchema,
  reserved: QuantitySchema,
  remaining: QuantitySchema.nullable(),
  overage: QuantitySchema,
  over_limit: z.boolean(),
  cycle: CycleSchema.nullable(),
  duplicate: z.literal(true).optional().describe("The answer was given before."),
  thresholds_crossed: z
    .array(
      z.object({
        id: z.string(),
        threshold_id: z.string(),
        name: z.string().nullable(),
        operator: z.enum([">=", "<="]),
        value: QuantitySchema,
      }),
    )
    .optional(),
};

export const DecisionSchema = z
  .object({
    ...standing,
    items: z.array(z.object(standing)).optional().describe("Each metric's, where several were asked for."),
  })
  .meta({ id: "Decision" });

export const ReservationInputSchema = z
  .strictObject({
    ...one,
    ttl_seconds: z
      .int()
      .min(1)
      .max(RESERVATION_SECONDS_MAX)
      .optional()
      .describe(`${RESERVATION_SECONDS_DEFAULT} when absent.`),
    on_expiry: z.enum(["release", "charge"]).optional(),
    id,
  })
  .meta({
    id: "ReservationInput",
    example: { customer_id: "acme", metric: "output_tokens", amount: 4000, ttl_seconds: 120 },
  });

const whose = { customer_id: CustomerIdSchema.optional().describe("May be left out: the id says it.") };

export const CommitInputSchema = z
  .strictObject({
    ...whose,
    amount: amount.nullable().optional().describe("All that is reserved, when absent."),
    properties: properties.describe(
      "What became of it: where the metric's filters do not match, everything is released.",
    ),
    on_excess: z
      .enum(["reject", "cap", "overflow"])
      .optional()
      .describe("What to do with more than was reserved: refuse (the default), count what was reserved, or count all."),
  })
  .meta({ id: "CommitInput", example: { amount: 512, properties: { status: 200 } } });

export const ReleaseInputSchema = z.strictObject(whose).meta({ id: "ReleaseInput", example: {} });

export const ExtendInputSchema = z
  .strictObject({ ...whose, ttl_seconds: z.int().min(1).max(RESERVATION_SECONDS_MAX).optional().describe("From now.") })
  .meta({ id: "ExtendInput", example: { ttl_seconds: 300 } });

export const ReservationSchema = z
  .object({
    ...standing,
    id: z.string().describe("Names the reservation in the paths below."),
    granted: QuantitySchema,
    expires_at: InstantSchema.nullable(),
    state: z.enum(["held", "committed", "released", "expired"]).optional(),
    committed: QuantitySchema.optional(),
    released: QuantitySchema.optional(),
  })
  .meta({ id: "Reservation" });

export const LeaseInputSchema = z
  .strictObject({
    customer_id: CustomerIdSchema,
    metric,
    want: amount.describe("Units; as many as are left are granted."),
    holder: z.string().max(ID_LENGTH_MAX).describe("Who decides with them, for people to read."),
    ttl_seconds: z.int().min(1).max(LEASE_SECONDS_MAX).optional().describe(`${LEASE_SECONDS_DEFAULT} when absent.`),
    return_after_seconds: z
      .int()
      .min(0)
      .max(LEASE_RETURN_SECONDS_MAX)
      .nullable()
      .optional()
      .describe(
        "Give back what nobody reported so long after the expiry. It may have been used: then the limit is passed.",
      ),
    id,
  })
  .meta({ id: "LeaseInput", example: { customer_id: "acme", metric: "api_requests", want: 100, holder: "gateway-1" } });

export const ReportInputSchema = z
  .strictObject({
    used: amount.describe("Units used since the report before."),
    sequence: z.int().min(1).nullable().optional().describe("Which grant is reported: the same report counts once."),
    renew: z.strictObject({ want: amount }).nullable().optional().describe("What to hold from now on; absent: end it."),
    ttl_seconds: z.int().min(1).max(LEASE_SECONDS_MAX).nullable().optional(),
  })
  .meta({ id: "ReportInput", example: { sequence: 1, used: 87, renew: { want: 200 } } });

export const LeaseSchema = z
  .object({
    id: z.string(),
    metric,
    holder: z.string(),
    granted: QuantitySchema.describe("Units that the holder has now."),
    sequence: z.int(),
    expires_at: InstantSchema.describe("Two seconds before the cycle's end at the latest."),
    ttl_ms: z.int().describe("Life left when it was answered: count it from when you asked, and no clock matters."),
    remaining: QuantitySchema.describe("What is left for everybody else."),
    reason: z.enum(["limit_reached", "unknown_customer", "no_allowance"]).optional(),
    may_overshoot: z.literal(true).optional(),
    duplicate: z.literal(true).optional(),
  })
  .meta({ id: "Lease" });
