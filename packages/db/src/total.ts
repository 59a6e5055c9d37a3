import { sql } from "drizzle-orm";

/**
 * Exact sums of int64 columns. `SUM` fails when it leaves int64, which the usage of many customers may;
 * so the upper and the lower 32 bits are added on their own, and neither sum can overflow.
 */
export interface Limbs {
  readonly high: string;
  readonly low: string;
}

/** The sum of the upper halves of `value`, with its sign. */
export const TOTAL_HIGH = sql`CAST(SUM(value >> 32) AS TEXT) AS high`;
/** The sum of the lower halves of `value`, never negative. */
export const TOTAL_LOW = sql`CAST(SUM(value & 4294967295) AS TEXT) AS low`;

/** Puts the halves together. */
export function toTotal({ high, low }: Limbs): bigint {
  return (BigInt(high) << 32n) + BigInt(low);
}
