import type { Exact } from "./exact.ts";

/** Where a threshold stands: units of the metric, or per cent of the allowance. */
export type ThresholdLine = { readonly units: Exact } | { readonly percent: number };

/**
 * Whether usage is on the far side of a line. A line in per cent of an allowance that is not there is never
 * reached.
 *
 * @param percent a whole number.
 */
export function isBeyond(operator: ">=" | "<=", line: ThresholdLine, used: Exact, allowance: Exact | null): boolean {
  if ("units" in line) return operator === ">=" ? used >= line.units : used <= line.units;
  if (allowance === null) return false;
  const share = BigInt(used) * 100n;
  const wanted = BigInt(allowance) * BigInt(line.percent);
  return operator === ">=" ? share >= wanted : share <= wanted;
}
