import * as z from "zod";
import { InstantSchema, QuantitySchema } from "./answer-schema.ts";
import { NAME_LENGTH_MAX, PRICES_MAX } from "./limits.ts";
import { SlugSchema } from "./metric-schema.ts";
import { PriceSchema } from "./price-schema.ts";
import { CycleIntervalSchema, QuantityInputSchema, TermsFields, TermsInputFields } from "./terms-schema.ts";
import { nameText, optionalText } from "./text-schema.ts";

const BASE = "Units that each cycle grants; null: nothing is limited.";
const ALLOWANCE = "What a subscription may use; null: its usage is counted, and charged for, without a limit.";

const AllowanceInputSchema = z
  .strictObject({ base: QuantityInputSchema.nullable().describe(BASE), ...TermsInputFields })
  .nullable();

const fields = {
  name: nameText(NAME_LENGTH_MAX).describe("What people call it."),
  description: optionalText(1000),
  kind: z
    .enum(["fee", "seat", "connected_seat", "usage", "credit"])
    .describe(
      "`fee` and `seat` have no metric; a `seat` that is given one is a `connected_seat`, which counts; `usage` and `credit` need a metric that counts or sums.",
    ),
  metric: z.string().min(1).max(NAME_LENGTH_MAX).nullable().describe("The slug of the metric that it is linked to."),
  prices: z
    .array(PriceSchema)
    .max(PRICES_MAX)
    .superRefine((prices, context) => {
      const [first] = prices;
      prices.forEach(({ currency }, index) => {
        if (currency !== first?.currency)
          context.addIssue({
            code: "custom",
            path: [index, "currency"],
            message: `Must be ${first?.currency}, as of the first price: a product has one currency.`,
          });
      });
    })
    .describe("What a cycle costs: a line of its statement each. Without a metric only flat ones."),
  charge_on: z
    .enum(["total", "delta"])
    .describe("Of a metric of type charge_recurring: whether a cycle is charged for the total, or for what it added."),
  cycle_interval: CycleIntervalSchema.describe("How long the cycles of a subscription are."),
  default: z
    .boolean()
    .describe(
      "Whether a customer for whom nobody has set anything is subscribed to it when a decision asks. At most one product: it takes the place of another.",
    ),
};

/** The body of `POST /v1/products`. */
export const ProductInputSchema = z
  .strictObject({
    ...fields,
    slug: SlugSchema.optional().describe("Made from the name when absent; unique in the project."),
    description: fields.description.default(""),
    metric: fields.metric.default(null),
    prices: fields.prices.default([]),
    charge_on: fields.charge_on.default("total"),
    cycle_interval: fields.cycle_interval.default({ count: 1, period: "months" }),
    allowance: AllowanceInputSchema.default(null).describe(ALLOWANCE),
    default: fields.default.default(false),
  })
  .meta({
    id: "ProductInput",
    example: {
      name: "API usage",
      kind: "usage",
      metric: "api_requests",
      prices: [{ model: "per_unit", unit_amount: "0.0025", currency: "EUR" }],
      allowance: { base: "100000", enforcement: "soft" },
    },
  });
export type ProductInput = z.infer<typeof ProductInputSchema>;

/** The body of `PATCH /v1/products/{slug}`. */
export const ProductChangeSchema = z
  .strictObject({
    ...fields,
    slug: SlugSchema,
    description: fields.description.nullable(),
    allowance: AllowanceInputSchema.describe(ALLOWANCE),
  })
  .partial()
  .refine((change) => Object.keys(change).length > 0, "Must change something.")
  .meta({ id: "ProductChange", example: { metric: "api_requests" } });
export type ProductChange = z.infer<typeof ProductChangeSchema>;

/** A product as it is answered. */
export const ProductSchema = z
  .object({
    id: z.string(),
    slug: z.string(),
    ...fields,
    allowance: z
      .object({ base: QuantitySchema.nullable().describe(BASE), ...TermsFields })
      .nullable()
      .describe(ALLOWANCE),
    created_at: InstantSchema,
    updated_at: InstantSchema,
  })
  .meta({ id: "Product" });
export type Product = z.infer<typeof ProductSchema>;
