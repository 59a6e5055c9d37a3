import { DECIMAL_PLACES_MAX, formatExact, parseDecimal } from "@tidemark/core/exact";
import { PRICE_PLACES_MAX, toUnits } from "@tidemark/core/money";
import type { Price, Tier } from "@tidemark/core/price";
import { priceFaults, TIERS_MAX } from "@tidemark/core/price-faults";
import * as z from "zod";
import { NAME_LENGTH_MAX } from "./limits.ts";
import { nameText } from "./text-schema.ts";

/** Digits before the point of an amount or quantity: more than a double holds, and than people owe. */
const WHOLE_DIGITS_MAX = 18;
/** Digits that a double keeps: a JSON number with more of them may not be the one that was sent. */
const NUMBER_DIGITS_MAX = 15;

const AmountSchema = decimal(PRICE_PLACES_MAX);
const QuantitySchema = decimal(DECIMAL_PLACES_MAX);

const TierSchema = z.strictObject({
  up_to: QuantitySchema.nullable().describe("The last quantity of the tier; null in the last one, which has no end."),
  unit_amount: AmountSchema.describe("For each unit."),
  flat_amount: AmountSchema.default("0").describe("Charged once for the tier."),
});

const common = {
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/, "Must be a currency code of three capital letters, like EUR.")
    .describe("ISO 4217."),
  segment: nameText(NAME_LENGTH_MAX)
    .nullable()
    .default(null)
    .describe("The segment of the metric whose quantity alone it prices; null: the whole metric's."),
};

/** A price, as requests send it and answers tell it. */
export const PriceSchema = z
  .discriminatedUnion(
    "model",
    [
      z
        .strictObject({ model: z.literal("flat"), amount: AmountSchema, ...common })
        .describe("An amount per cycle, whatever the quantity."),
      z
        .strictObject({ model: z.literal("per_unit"), unit_amount: AmountSchema, ...common })
        .describe("An amount for each unit."),
      z
        .strictObject({
          model: z.enum(["graduated", "volume"]),
          tiers: z.array(TierSchema).meta({ minItems: 1, maxItems: TIERS_MAX }),
          ...common,
        })
        .describe(
          "`graduated`: each tier prices the units in it. `volume`: the tier of the quantity prices all units.",
        ),
      z
        .strictObject({
          model: z.literal("package"),
          package_size: QuantitySchema.describe("Units of a package; greater than 0."),
          package_amount: AmountSchema.describe("For each package that was begun."),
          included: QuantitySchema.default("0").describe("Units that cost nothing, before the first package."),
          ...common,
        })
        .describe("An amount for each package of units that was begun."),
    ],
    "Must have a model: flat, per_unit, graduated, volume or package.",
  )
  .superRefine((price, context) => {
    for (const { path, detail } of priceFaults(toPrice(price)))
      context.addIssue({ code: "custom", path: [...path], message: detail });
  })
  .meta({
    id: "Price",
    description:
      `What a quantity costs in a cycle. Amounts are decimals of at most ${PRICE_PLACES_MAX} places in the currency; ` +
      "a line is rounded once, to the currency's smallest unit, half away from zero.",
    example: {
      model: "graduated",
      currency: "EUR",
      tiers: [
        { up_to: "1000000", unit_amount: "0.0025" },
        { up_to: null, unit_amount: "0.002" },
      ],
    },
  });
export type PriceInput = z.infer<typeof PriceSchema>;

/** A checked price as it is kept: every amount and quantity is a decimal without superfluous zeros. */
export function toPrice(input: PriceInput): Price {
  const scope = { currency: input.currency, segment: input.segment };
  switch (input.model) {
    case "flat":
      return { model: input.model, amount: plain(input.amount), ...scope };
    case "per_unit":
      return { model: input.model, unit_amount: plain(input.unit_amount), ...scope };
    case "graduated":
    case "volume":
      return { model: input.model, tiers: input.tiers.map(toTier), ...scope };
    case "package":
      return {
        model: input.model,
        package_size: plain(input.package_size),
        package_amount: plain(input.package_amount),
        included: plain(input.included),
        ...scope,
      };
  }
}

function toTier({ up_to, unit_amount, flat_amount }: z.infer<typeof TierSchema>): Tier {
  return {
    up_to: up_to === null ? null : plain(up_to),
    unit_amount: plain(unit_amount),
    flat_amount: plain(flat_amount),
  };
}

function plain(value: string | number): string {
  return formatExact(toUnits(textOf(value), PRICE_PLACES_MAX), PRICE_PLACES_MAX);
}

/** A decimal that is not negative, as text or, while a double keeps every digit, as a number. */
function decimal(places: number) {
  const pattern = new RegExp(`^\\d{1,${WHOLE_DIGITS_MAX}}(\\.\\d{1,${places}})?$`);
  const isKept = (value: number): boolean => {
    const text = textOf(value);
    return pattern.test(text) && text.replace(".", "").replace(/^0+/, "").length <= NUMBER_DIGITS_MAX;
  };
  // What is no decimal is aborted: the rules for the price as a whole only see decimals.
  return z.union(
    [z.string().regex(pattern, { abort: true }), z.number().min(0, { abort: true }).refine(isKept, { abort: true })],
    `Must be a decimal that is not negative, with at most ${WHOLE_DIGITS_MAX} digits before the point and ${places} behind it; ` +
      `as text when it has more than ${NUMBER_DIGITS_MAX} digits.`,
  );
}

/** What was written for a number: JavaScript gives those below a millionth an exponent. */
function textOf(value: string | number): string {
  const text = String(value);
  if (typeof value === "string" || !text.includes("e-")) return text;
  const units = parseDecimal(text, PRICE_PLACES_MAX);
  return typeof units === "string" ? text : formatExact(units, PRICE_PLACES_MAX);
}
