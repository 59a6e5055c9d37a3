/** An exact decimal: `units` times ten to the minus `places`. */
export interface Decimal {
  readonly units: bigint;
  readonly places: number;
}

/** A quantity's text. Quantities come from our own API, so anything else is a bug. */
const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?$/;

/**
 * Reads a quantity's text.
 *
 * @throws RangeError when it is not a plain decimal.
 */
export function toDecimal(text: string): Decimal {
  const match = DECIMAL.exec(text);
  if (match === null) throw new RangeError(`not a decimal: ${text.slice(0, 40)}`);
  const [, sign = "", whole = "", fraction = ""] = match;
  return { units: BigInt(sign + whole + fraction), places: fraction.length };
}

/** Writes a decimal without trailing zeros. */
export function fromDecimal({ units, places }: Decimal): string {
  const digits = magnitude(units)
    .toString()
    .padStart(places + 1, "0");
  const whole = digits.slice(0, digits.length - places);
  const fraction = digits.slice(digits.length - places).replace(/0+$/, "");
  return `${units < 0n ? "-" : ""}${whole}${fraction === "" ? "" : `.${fraction}`}`;
}

/** The exact sum of quantities. */
export function sumDecimals(texts: Iterable<string>): string {
  let sum: Decimal = { units: 0n, places: 0 };
  for (const text of texts) {
    const next = toDecimal(text);
    const places = Math.max(sum.places, next.places);
    sum = { units: rescale(sum, places) + rescale(next, places), places };
  }
  return fromDecimal(sum);
}

/** The nearest decimal with that many places; halves go away from zero. */
export function roundDecimal(value: Decimal, places: number): Decimal {
  if (value.places <= places) return { units: rescale(value, places), places };
  const divisor = 10n ** BigInt(value.places - places);
  const rounded = (magnitude(value.units) * 2n + divisor) / (divisor * 2n);
  return { units: value.units < 0n ? -rounded : rounded, places };
}

function rescale(value: Decimal, places: number): bigint {
  return value.units * 10n ** BigInt(places - value.places);
}

function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value;
}
