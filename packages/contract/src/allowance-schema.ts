import * as z from "zod";
import { InstantSchema, QuantitySchema } from "./answer-schema.ts";
import { StandingFields } from "./balance-schema.ts";
import { NAME_LENGTH_MAX, REASON_LENGTH_MAX } from "./limits.ts";
import {
  InstantInputSchema,
  CycleInputSchema,
  CycleRuleSchema,
  QuantityInputSchema,
  TermsFields,
  TermsInputFields,
} from "./terms-schema.ts";
import { plainText } from "./text-schema.ts";

const base = QuantityInputSchema.describe("Units that each cycle grants.");

/** What goes with `base`, and what with `amount`. */
const LIMIT_FIELDS = ["cycle", ...Object.keys(TermsInputFields)];
const TOP_UP_FIELDS = ["reason", "expires_at"];

/** The body of `POST /v1/customers/{id}/allowances`: a limit, with `base`, or a top-up, with `amount`. */
export const AllowanceInputSchema = z
  .strictObject({
    metric: z.string().min(1).max(NAME_LENGTH_MAX).describe("The metric's slug."),
    base: base.optional(),
    cycle: CycleInputSchema.optional(),
    ...TermsInputFields,
    amount: QuantityInputSchema.optional().describe("Units granted once; below 0 to take some away."),
    reason: plainText(REASON_LENGTH_MAX)
      .optional()
      .describe("With `amount`, and required there: why. It is shown with the balance."),
    expires_at: InstantInputSchema.nullable()
      .optional()
      .describe("With `amount`: until when the units can be used, RFC 3339. Otherwise no time ends them."),
  })
  .superRefine((input, context) => {
    const issue = (field: string, message: string): void =>
      context.addIssue({ code: "custom", path: [field], message });
    const isTopUp = input.amount !== undefined;
    if (isTopUp === (input.base !== undefined)) {
      const detail = isTopUp
        ? "Goes not with `base`: send one request to set the limit, and another to grant units."
        : "Send `base` to set what each cycle grants, or `amount` to grant units once.";
      issue(isTopUp ? "amount" : "base", detail);
      return;
    }
    if (isTopUp && input.reason === undefined)
      issue("reason", "Is required with `amount`: say why units are granted, or taken away.");
    const [strange, other] = isTopUp ? [LIMIT_FIELDS, "base"] : [TOP_UP_FIELDS, "amount"];
    for (const [field, value] of Object.entries(input))
      if (value !== undefined && strange.includes(field)) issue(field, `Goes only with \`${other}\`.`);
  })
  .meta({
    id: "AllowanceInput",
    example: {
      metric: "api_requests",
      base: "1000",
      cycle: { interval: { count: 1, period: "months" }, anchor: "2026-01-31T00:00:00Z", time_zone: "UTC" },
      enforcement: "hard",
      carryover: { cap: "500", expires_after: 3, overage: "forgive" },
      unavailable: "closed",
    },
  });
export type AllowanceInput = z.infer<typeof AllowanceInputSchema>;

/** The body of `PATCH /v1/customers/{id}/allowances/{allowance_id}`. */
export const AllowanceChangeSchema = z
  .strictObject({
    base,
    cycle: CycleInputSchema.describe("Another zone, anchor or interval begins with the next cycle."),
    ...TermsInputFields,
    change: z
      .enum(["keep", "prorate", "restart"])
      .describe(
        "`keep` (when absent): the cycle goes on; a higher base is there at once, a lower one ends at what was used. " +
          "`prorate`: the cycle goes on with each base for its share of time. `restart`: a new cycle begins now.",
      ),
  })
  .partial()
  .refine((change) => Object.keys(change).some((field) => field !== "change"), "Must change something.")
  .meta({ id: "AllowanceChange", example: { base: "2000" } });
export type AllowanceChange = z.infer<typeof AllowanceChangeSchema>;

/** An allowance as it is answered. */
export const AllowanceSchema = z
  .object({
    id: z.string(),
    metric: z.string(),
    base: QuantitySchema,
    cycle: CycleRuleSchema,
    ...TermsFields,
    created_at: InstantSchema,
    ended_at: InstantSchema.nullable(),
    standing: z
      .array(z.object(StandingFields))
      .describe("Where it stands: one entry, or one for each label where it is `per` label; none after its end."),
  })
  .meta({ id: "Allowance" });
export type Allowance = z.infer<typeof AllowanceSchema>;

/** A top-up as it is answered, with where its allowance stands now. */
export const TopUpSchema = z
  .object({
    id: z.string().describe("Of the top-up."),
    allowance: z.string().describe("The allowance or subscription that it was added to."),
    metric: z.string(),
    amount: QuantitySchema,
    reason: z.string(),
    expires_at: InstantSchema.nullable(),
    ...StandingFields,
  })
  .meta({ id: "TopUp" });
export type TopUp = z.infer<typeof TopUpSchema>;
