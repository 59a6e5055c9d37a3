import { DECIMAL_PLACES_MAX, formatExact } from "./exact.ts";

/** Digits behind the point of a price. A token costs millionths; this leaves room for millionths of those. */
export const PRICE_PLACES_MAX = 12;

/** Digits behind the point of an exact amount: those of a price and those of a quantity. */
export const AMOUNT_PLACES_MAX = PRICE_PLACES_MAX + DECIMAL_PLACES_MAX;

/** An amount as it is charged. */
export interface RoundedAmount {
  /** With as many digits behind the point as the currency has: `12.50` EUR, `13` JPY. */
  readonly amount: string;
  /** How it was rounded, and to what: `half_up to 0.01`. */
  readonly rounding: string;
}

/**
 * Rounds an amount to the smallest unit of its currency, half away from zero.
 *
 * @param currency an ISO 4217 code.
 * @throws RangeError when the amount is not an exact one.
 * @example roundAmount("-0.125", "EUR") // { amount: "-0.13", rounding: "half_up to 0.01" }
 */
export function roundAmount(amount: string, currency: string): RoundedAmount {
  const digits = minorDigits(currency);
  const units = toUnits(amount, AMOUNT_PLACES_MAX);
  const divisor = 10n ** BigInt(AMOUNT_PLACES_MAX - digits);
  const rounded = (magnitude(units) * 2n + divisor) / (divisor * 2n);
  return {
    amount: withDigits(units < 0n ? -rounded : rounded, digits),
    rounding: `half_up to ${formatExact(1n, digits)}`,
  };
}

/**
 * The exact sum of amounts, as a decimal without trailing zeros; "0" for none.
 *
 * @throws RangeError when one of them is not an exact amount.
 */
export function sumAmounts(amounts: readonly string[]): string {
  const sum = amounts.reduce((total, amount) => total + toUnits(amount, AMOUNT_PLACES_MAX), 0n);
  return formatExact(sum, AMOUNT_PLACES_MAX);
}

/**
 * `amount − before`, exactly: what an adjustment adds to what was charged.
 *
 * @throws RangeError when one of them is not an exact amount.
 */
export function differenceOf(amount: string, before: string): string {
  return formatExact(toUnits(amount, AMOUNT_PLACES_MAX) - toUnits(before, AMOUNT_PLACES_MAX), AMOUNT_PLACES_MAX);
}

const DECIMAL = /^(-?\d+)(?:\.(\d+))?$/;

/**
 * A decimal, however large, as a whole number of 10^-places.
 *
 * @throws RangeError when it is no plain decimal, or has more places: it was checked where it came in.
 * @example toUnits("12.5", 2) // 1250n
 */
export function toUnits(decimal: string, places: number): bigint {
  const [, whole, fraction = ""] = DECIMAL.exec(decimal) ?? [];
  if (whole === undefined || fraction.length > places)
    throw new RangeError(`not a decimal of at most ${places} places: ${decimal.slice(0, 40)}`);
  return BigInt(whole + fraction.padEnd(places, "0"));
}

/** The size of a number without its sign. */
export function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value;
}

/** Like `formatExact`, with every digit behind the point. */
function withDigits(units: bigint, digits: number): string {
  const [whole = "", fraction = ""] = formatExact(units, digits).split(".");
  return digits === 0 ? whole : `${whole}.${fraction.padEnd(digits, "0")}`;
}

/**
 * Currencies by the digits of their minor unit, where these are not two: ISO 4217, list one, of January
 * 2026. `Intl` is not asked, because it knows how prices are shown and not what is owed (no digits for
 * HUF and IQD, which have two and three), and changes with the runtime.
 */
const CURRENCIES_BY_DIGITS = [
  [0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"],
  [3, "BHD IQD JOD KWD LYD OMR TND"],
  [4, "CLF UYW"],
] as const;

const MINOR_DIGITS: ReadonlyMap<string, number> = new Map(
  CURRENCIES_BY_DIGITS.flatMap(([digits, codes]) => codes.split(" ").map((code) => [code, digits])),
);

/** Digits of a currency's minor unit behind the point; two for a code that is not known. */
function minorDigits(currency: string): number {
  return MINOR_DIGITS.get(currency) ?? 2;
}
