import { addExact, type Exact } from "./exact.ts";

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
  const share = hundredfold(used, 100);
  const wanted = hundredfold(allowance, line.percent);
  return operator === ">=" ? share >= wanted : share <= wanted;
}

/** A product of whole numbers, as a number where that is exact. */
function hundredfold(units: Exact, percent: number): Exact {
  const product = typeof units === "number" ? units * percent : NaN;
  return Number.isSafeInteger(product) ? product : BigInt(units) * BigInt(percent);
}

/** A line, on which side of it usage has to come, and how far back before that is told once more. */
export interface RepeatedLine {
  readonly operator: ">=" | "<=";
  readonly line: ThresholdLine;
  /** Units where the line is in units, otherwise points of per cent. */
  readonly hysteresis: Exact;
}

/** Whether usage has come back far enough behind a line for it to be crossed again. */
export function isBack({ operator, line, hysteresis }: RepeatedLine, used: Exact, allowance: Exact | null): boolean {
  if (hysteresis === 0) return !isBeyond(operator, line, used, allowance);
  const [opposite, away] = operator === ">=" ? (["<=", -hysteresis] as const) : ([">=", hysteresis] as const);
  const mark = "units" in line ? { units: addExact(line.units, away) } : { percent: line.percent + Number(away) };
  return isBeyond(opposite, mark, used, allowance);
}
