/**
 * Exact quantities.
 *
 * A quantity is a whole number of a metric's smallest unit: with `decimal_places: 2`, 12.5 is 1250.
 * It is held as a `number` while that is exact and as a `bigint` beyond; no float ever holds a
 * fraction. The range is that of SQLite's INTEGER, so that a stored total never turns REAL.
 */
export type Exact = number | bigint;

export const INT64_MAX = 9223372036854775807n;
export const INT64_MIN = -9223372036854775808n;

/** The most decimal places a metric can ask for. */
export const DECIMAL_PLACES_MAX = 9;

/** Why a value cannot be read as a quantity. */
export type InexactCode = "not_a_number" | "too_precise" | "out_of_range";

/** A decimal in JSON's spelling, with an optional plus sign: digits, one dot, one exponent. */
const DECIMAL = /^([+-]?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,4}))?$/;

/** The narrowest representation of `value`, or `undefined` when it leaves int64. */
function narrow(value: bigint): Exact | undefined {
  const asNumber = Number(value);
  if (Number.isSafeInteger(asNumber)) return asNumber;
  return value >= INT64_MIN && value <= INT64_MAX ? value : undefined;
}

/**
 * `a + b`, exactly. A sum may leave int64, on its way back or for good: what stores it looks with
 * `fitsInt64`.
 */
export function addExact(a: Exact, b: Exact): Exact {
  if (typeof a === "number" && typeof b === "number") {
    const sum = a + b;
    if (Number.isSafeInteger(sum)) return sum;
  }
  const sum = BigInt(a) + BigInt(b);
  const asNumber = Number(sum);
  return Number.isSafeInteger(asNumber) ? asNumber : sum;
}

/** Whether SQLite's INTEGER holds it. */
export function fitsInt64(value: Exact): boolean {
  return typeof value === "number" || (value >= INT64_MIN && value <= INT64_MAX);
}

/**
 * Reads a property as a quantity in units of 10^-places.
 *
 * Accepts finite JSON numbers (their shortest decimal form is the number that was written) and
 * strings that hold a decimal; `"1,000"`, `true`, `""` and `NaN` are `not_a_number`, more places
 * than the metric has are `too_precise`, and what does not fit int64 is `out_of_range`.
 *
 * @example toExact("0.25", 2) // 25
 */
export function toExact(value: unknown, places: number): Exact | InexactCode {
  if (typeof value === "number") {
    if (places === 0 && Number.isSafeInteger(value)) return value === 0 ? 0 : value;
    if (!Number.isFinite(value)) return "not_a_number";
    // A decimal of at most 15 digits is the one that its double prints, so the quotient tells it exactly.
    const scale = 10 ** places;
    const scaled = Math.round(value * scale);
    if (Math.abs(scaled) < 1e15 && scaled / scale === value) return scaled === 0 ? 0 : scaled;
    return parseDecimal(String(value), places);
  }
  return typeof value === "string" ? parseDecimal(value, places) : "not_a_number";
}

/** The same for a decimal's text. */
export function parseDecimal(text: string, places: number): Exact | InexactCode {
  const match = DECIMAL.exec(text);
  if (match === null) return "not_a_number";
  const [, sign, whole = "", fraction = "", exponent = "0"] = match;
  let digits = (whole + fraction).replace(/^0+/, "");
  if (digits === "") return 0;
  // The value is `digits` times ten to the `shift`, counted in the metric's smallest unit.
  const shift = Number(exponent) - fraction.length + places;
  if (digits.length + shift > 20) return "out_of_range";
  if (shift >= 0) digits += "0".repeat(shift);
  else {
    const cut = digits.length + shift;
    if (/[1-9]/.test(cut <= 0 ? digits : digits.slice(cut))) return "too_precise";
    digits = digits.slice(0, Math.max(cut, 0));
  }
  return narrow(BigInt(sign === "-" ? `-${digits}` : digits)) ?? "out_of_range";
}

/**
 * A quantity as people and JSON see it: an exact decimal without trailing zeros.
 *
 * @example formatExact(1250, 2) // "12.5"
 */
export function formatExact(value: Exact, places: number): string {
  const text = value.toString();
  if (places === 0) return text;
  const negative = text.startsWith("-");
  const digits = (negative ? text.slice(1) : text).padStart(places + 1, "0");
  const whole = digits.slice(0, -places);
  const fraction = digits.slice(-places).replace(/0+$/, "");
  return (negative ? "-" : "") + (fraction === "" ? whole : `${whole}.${fraction}`);
}

/** Reads back what `toString()` wrote: a whole number of smallest units. */
export function fromInteger(text: string): Exact {
  const asNumber = Number(text);
  return Number.isSafeInteger(asNumber) ? asNumber : BigInt(text);
}
