import { type Exact, formatExact } from "./exact.ts";

/** Digits of a change behind the point: a hundredth of a per cent. */
const PLACES = 4;

/**
 * How a quantity compares with one before: `(value − previous) ÷ |previous|`, a decimal of at most 4
 * places, halves away from zero. `null` when there was nothing before: that is no growth of any size.
 *
 * @example changeOf(130, 100) // "0.3"
 */
export function changeOf(value: Exact, previous: Exact): string | null {
  const base = size(BigInt(previous));
  if (base === 0n) return null;
  const scaled = (BigInt(value) - BigInt(previous)) * 10n ** BigInt(PLACES);
  const rounded = (size(scaled) * 2n + base) / (base * 2n);
  return formatExact(scaled < 0n ? -rounded : rounded, PLACES);
}

function size(value: bigint): bigint {
  return value < 0n ? -value : value;
}
