/** Decimals of any size as text: what JSON can write, with an optional plus sign. */
const DECIMAL = /^[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d{1,4})?$/;

/** A longer text is no number to anybody, and would take long to compare. */
const DECIMAL_LENGTH_MAX = 400;

/** Whether a value is a finite number or a text that holds a decimal. */
export function isDecimal(value: string | number): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  return value.length <= DECIMAL_LENGTH_MAX && DECIMAL.test(value);
}

/** A decimal taken apart: 0.`digits` times ten to the `exponent`, without zeros at either end. */
interface Parts {
  /** −1, 0 or 1. */
  readonly sign: number;
  readonly digits: string;
  readonly exponent: number;
}

function partsOf(decimal: string): Parts {
  const [mantissa = "", exponent = "0"] = decimal.toLowerCase().split("e");
  const isNegative = mantissa.startsWith("-");
  const [whole = "", fraction = ""] = mantissa.replace(/^[+-]/, "").split(".");
  const all = whole + fraction;
  const significant = all.replace(/^0+/, "");
  if (significant === "") return { sign: 0, digits: "", exponent: 0 };
  const leading = all.length - significant.length;
  return {
    sign: isNegative ? -1 : 1,
    digits: significant.slice(0, lastDigit(significant)),
    exponent: Number(exponent) + whole.length - leading,
  };
}

/** The length without zeros at the end; by a loop, because a pattern that ends there takes quadratic time. */
function lastDigit(digits: string): number {
  let length = digits.length;
  while (digits[length - 1] === "0") length--;
  return length;
}

/**
 * A decimal's canonical text: equal for equal numbers, however they are written.
 *
 * @example canonicalDecimal("2.50e1") === canonicalDecimal("25") // true
 */
export function canonicalDecimal(decimal: string): string {
  const { sign, digits, exponent } = partsOf(decimal);
  return sign === 0 ? "0" : `${sign < 0 ? "-" : ""}${digits}e${exponent}`;
}

/** Negative, zero or positive, as `a` is below, equal to or above `b`. Both are decimals. */
export function compareDecimals(a: string, b: string): number {
  const left = partsOf(a);
  const right = partsOf(b);
  if (left.sign !== right.sign) return left.sign - right.sign;
  if (left.exponent !== right.exponent) return left.sign * (left.exponent - right.exponent);
  if (left.digits === right.digits) return 0;
  return left.digits < right.digits ? -left.sign : left.sign;
}
