import * as z from "zod";
import { InstantSchema, PageQuerySchema, pageOf, QuantitySchema } from "./answer-schema.ts";
import { CycleSchema, StandingFields } from "./balance-schema.ts";
import { InstantInputSchema } from "./terms-schema.ts";

/** The query of `GET /v1/customers/{id}/statements`. */
export const StatementsQuerySchema = PageQuerySchema.extend({
  cycle: InstantInputSchema.optional().describe("Only cycles that begin at this instant, RFC 3339."),
  format: z.enum(["json", "csv"], "Must be json or csv.").optional().describe("Goes before the Accept header."),
});

const AmountSchema = z
  .string()
  .meta({ id: "Amount", description: "A decimal with the digits that the currency has.", example: "12.50" });
const EXACT = "Before it was rounded.";

const amounts = {
  exact_amount: z.string().describe(EXACT),
  amount: AmountSchema,
  currency: z.string(),
  rounding: z.string().describe("How the exact amount was rounded, once: `half_up to 0.01`."),
};

const PartSchema = z.object({
  from: QuantitySchema.describe("The quantity behind which the part begins."),
  to: QuantitySchema.describe("The one with which it ends."),
  units: QuantitySchema.describe("`to - from`; with a `package_size`, how many packages that takes."),
  package_size: QuantitySchema.optional(),
  unit_amount: z.string(),
  flat_amount: z.string().optional(),
  amount: z.string().describe("`units * unit_amount + flat_amount`, exactly."),
});

const LineSchema = z.object({
  description: z.string(),
  model: z.enum(["flat", "per_unit", "graduated", "volume", "package"]),
  segment: z.string().nullable(),
  quantity: QuantitySchema,
  parts: z.array(PartSchema).describe("What leads to the amount."),
  ...amounts,
});

const StatementAdjustmentSchema = z.object({
  number: z.int().describe("Counts the adjustments of the statement."),
  for_cycle: InstantSchema.describe("The start of the cycle that was final when the usage came."),
  quantity: QuantitySchema,
  ...amounts,
  currency: z.string().nullable().describe("null without a price."),
  rounding: z
    .string()
    .describe("The difference of what that cycle comes to with the quantity and without, each rounded."),
});

/** What one subscription or allowance came to in one cycle. */
export const StatementSchema = z
  .object({
    id: z.string(),
    subscription: z.string().describe("The id of the subscription, or of the allowance without a product."),
    product: z.string().nullable(),
    metric: z.string().nullable(),
    label: StandingFields.label,
    cycle: CycleSchema,
    status: z
      .enum(["open", "grace", "final"])
      .describe(
        "`open`: it goes on. `grace`: it has ended, and late usage still changes it. `final`: never changes again.",
      ),
    final_at: InstantSchema.nullable().describe("When it is final, or was; null while it is open."),
    limit: StandingFields.limit,
    carried: StandingFields.carried,
    used: QuantitySchema.describe("Of a metric that goes on from cycle to cycle, the total."),
    overage: StandingFields.overage,
    lines: z.array(LineSchema).describe("One for each price, by what is charged."),
    adjustments: z
      .array(StatementAdjustmentSchema)
      .describe(
        "Usage of cycles that were final. It is in `used`; a line that prices a segment has it in its quantity.",
      ),
    totals: z
      .array(z.object({ currency: z.string(), amount: AmountSchema }))
      .describe("Of lines and adjustments: the sum of the rounded amounts."),
  })
  .meta({ id: "Statement" });
export type Statement = z.infer<typeof StatementSchema>;

export const StatementsSchema = pageOf(StatementSchema).extend({ as_of: InstantSchema }).meta({ id: "Statements" });
export type Statements = z.infer<typeof StatementsSchema>;
