import { DECIMAL_PLACES_MAX, type Exact, formatExact } from "./exact.ts";
import { AMOUNT_PLACES_MAX, magnitude, PRICE_PLACES_MAX, roundAmount, toUnits } from "./money.ts";

/**
 * How a quantity becomes an amount. Amounts are decimals of at most 12 places, in the price's currency;
 * quantities decimals of at most 9, in the metric's unit. None is negative.
 */
export type PriceModel =
  /** `amount` per cycle, whatever the quantity. */
  | { readonly model: "flat"; readonly amount: string }
  /** `unit_amount` for each unit. */
  | { readonly model: "per_unit"; readonly unit_amount: string }
  /** `graduated`: each tier prices the units in it. `volume`: the tier that the quantity is in prices all units. */
  | { readonly model: "graduated" | "volume"; readonly tiers: readonly Tier[] }
  /** `package_amount` for each package that was begun, after the units that are `included` in the price. */
  | {
      readonly model: "package";
      readonly package_size: string;
      readonly package_amount: string;
      /** 0 when absent. */
      readonly included?: string;
    };

/** Quantities above the tier before, up to and with `up_to`. */
export interface Tier {
  /** `null` in the last tier, which has no end. */
  readonly up_to: string | null;
  readonly unit_amount: string;
  /** Charged once: `graduated` by each tier that the quantity has entered, `volume` by the one that prices it. */
  readonly flat_amount: string;
}

/** A price that has no fault: see `priceFaults`. */
export type Price = PriceModel & {
  /** An ISO 4217 code. */
  readonly currency: string;
  /** The segment whose quantity alone it prices; `null`: the whole metric's. */
  readonly segment: string | null;
};

/** A quantity rated by a price. */
export interface RatedLine {
  /** What leads to `exact_amount`, and adds up to it. A `graduated` price has none for nothing used. */
  readonly parts: readonly RatedPart[];
  readonly exact_amount: string;
  /** `exact_amount`, rounded once: with the digits that the currency has. */
  readonly amount: string;
  /** How it was rounded: `half_up to 0.01`. */
  readonly rounding: string;
}

/** A step that a person can check: `amount = units × unit_amount + flat_amount`. Decimals without trailing zeros. */
export interface RatedPart {
  /** The quantity behind which the part begins, and the one with which it ends. */
  readonly from: string;
  readonly to: string;
  /** `to − from`; with a `package_size`, how many packages that takes. */
  readonly units: string;
  readonly package_size?: string;
  readonly unit_amount: string;
  /** 0 when absent. */
  readonly flat_amount?: string;
  readonly amount: string;
}

/**
 * What a quantity costs, exactly and rounded.
 *
 * A negative quantity, as an adjustment can have, is rated by its size and gives the same with the other
 * sign. Only a flat amount does not follow the quantity. For nothing used, the first tier of a `volume`
 * price charges its flat amount, and no tier of a `graduated` one, since none has been entered.
 *
 * @param quantity in units of 10^-places.
 * @throws RangeError when the price holds what is no decimal.
 * @example
 * rate({ model: "per_unit", unit_amount: "0.0025", currency: "EUR", segment: null }, 1250, 0)
 * // { parts: […], exact_amount: "3.125", amount: "3.13", rounding: "half_up to 0.01" }
 */
export function rate(price: Price, quantity: Exact, places: number): RatedLine {
  const units = BigInt(quantity) * 10n ** BigInt(DECIMAL_PLACES_MAX - places);
  const steps = stepsOf(price, units);
  const exact = formatExact(
    steps.reduce((sum, step) => sum + amountOf(step), 0n),
    AMOUNT_PLACES_MAX,
  );
  return { parts: steps.map(toPart), exact_amount: exact, ...roundAmount(exact, price.currency) };
}

/** A part in whole numbers: quantities in units of 10^-9, prices in units of 10^-12. */
interface Step {
  readonly from: bigint;
  readonly to: bigint;
  readonly units: bigint;
  readonly packageSize?: bigint;
  readonly unitAmount: bigint;
  readonly flatAmount: bigint;
}

function stepsOf(price: Price, quantity: bigint): readonly Step[] {
  const size = magnitude(quantity);
  switch (price.model) {
    case "flat":
      return [stepOf(0n, quantity, "0", price.amount)];
    case "per_unit":
      return [stepOf(0n, quantity, price.unit_amount, "0")];
    case "graduated":
      return withSignOf(quantity, graduatedSteps(price.tiers, size));
    case "volume":
      return withSignOf(quantity, [volumeStep(price.tiers, size)]);
    case "package":
      return withSignOf(quantity, packageSteps(price, size));
  }
}

function graduatedSteps(tiers: readonly Tier[], quantity: bigint): readonly Step[] {
  const steps: Step[] = [];
  let from = 0n;
  for (const { up_to, unit_amount, flat_amount } of tiers) {
    if (quantity <= from) break;
    const to = up_to === null ? quantity : smaller(quantity, quantityUnits(up_to));
    steps.push(stepOf(from, to, unit_amount, flat_amount));
    from = to;
  }
  return steps;
}

function volumeStep(tiers: readonly Tier[], quantity: bigint): Step {
  const tier = tiers.find(({ up_to }) => up_to === null || quantity <= quantityUnits(up_to));
  if (tier === undefined) throw new RangeError("the last tier must have no end");
  return stepOf(0n, quantity, tier.unit_amount, tier.flat_amount);
}

function packageSteps(price: Extract<Price, { model: "package" }>, quantity: bigint): readonly Step[] {
  const packageSize = quantityUnits(price.package_size);
  const included = smaller(quantity, quantityUnits(price.included ?? "0"));
  const packages = (quantity - included + packageSize - 1n) / packageSize;
  const free = stepOf(0n, included, "0", "0");
  const charged = {
    ...stepOf(included, quantity, price.package_amount, "0"),
    units: packages * QUANTITY_ONE,
    packageSize,
  };
  if (included === 0n) return [charged];
  return packages === 0n ? [free] : [free, charged];
}

function stepOf(from: bigint, to: bigint, unitAmount: string, flatAmount: string): Step {
  return { from, to, units: to - from, unitAmount: priceUnits(unitAmount), flatAmount: priceUnits(flatAmount) };
}

/** The steps of a quantity's size, as those of the quantity. */
function withSignOf(quantity: bigint, steps: readonly Step[]): readonly Step[] {
  if (quantity >= 0n) return steps;
  return steps.map((step) => ({
    ...step,
    from: -step.from,
    to: -step.to,
    units: -step.units,
    flatAmount: -step.flatAmount,
  }));
}

/** In units of 10^-21. */
function amountOf({ units, unitAmount, flatAmount }: Step): bigint {
  return units * unitAmount + flatAmount * QUANTITY_ONE;
}

function toPart(step: Step): RatedPart {
  const { from, to, units, packageSize, unitAmount, flatAmount } = step;
  return {
    from: formatExact(from, DECIMAL_PLACES_MAX),
    to: formatExact(to, DECIMAL_PLACES_MAX),
    units: formatExact(units, DECIMAL_PLACES_MAX),
    ...(packageSize === undefined ? {} : { package_size: formatExact(packageSize, DECIMAL_PLACES_MAX) }),
    unit_amount: formatExact(unitAmount, PRICE_PLACES_MAX),
    ...(flatAmount === 0n ? {} : { flat_amount: formatExact(flatAmount, PRICE_PLACES_MAX) }),
    amount: formatExact(amountOf(step), AMOUNT_PLACES_MAX),
  };
}

/** A quantity of 1. */
const QUANTITY_ONE = 10n ** BigInt(DECIMAL_PLACES_MAX);

function quantityUnits(decimal: string): bigint {
  return toUnits(decimal, DECIMAL_PLACES_MAX);
}

function priceUnits(decimal: string): bigint {
  return toUnits(decimal, PRICE_PLACES_MAX);
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
