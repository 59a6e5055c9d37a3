import { compareDecimals } from "./decimal.ts";
import type { Price, Tier } from "./price.ts";

/** Tiers of one price: a table that a person can still read, and few enough to rate a line at once. */
export const TIERS_MAX = 50;

/** What is wrong with a price, and where in it. */
export interface PriceFault {
  readonly path: readonly (string | number)[];
  /** A sentence that says what must be. */
  readonly detail: string;
}

/**
 * What a price's fields, each fine by itself, cannot be together: empty packages, and tiers that are
 * none or too many, do not ascend, or do not end with one, and only one, that has no end.
 */
export function priceFaults(price: Price): readonly PriceFault[] {
  switch (price.model) {
    case "flat":
    case "per_unit":
      return [];
    case "graduated":
    case "volume":
      return tierFaults(price.tiers);
    case "package":
      return compareDecimals(price.package_size, "0") > 0
        ? []
        : [{ path: ["package_size"], detail: "Must be greater than 0: it is how many units a package holds." }];
  }
}

function tierFaults(tiers: readonly Tier[]): readonly PriceFault[] {
  if (tiers.length === 0) return [{ path: ["tiers"], detail: "Must have at least one tier, with up_to null." }];
  if (tiers.length > TIERS_MAX)
    return [{ path: ["tiers"], detail: `Must have at most ${TIERS_MAX} tiers, not ${tiers.length}.` }];
  return tiers.flatMap(({ up_to }, i) => {
    const detail = boundFault(up_to, tiers[i - 1]?.up_to ?? "0", i === tiers.length - 1);
    return detail === undefined ? [] : [{ path: ["tiers", i, "up_to"], detail }];
  });
}

/** What is wrong with where a tier ends, knowing where it begins. */
function boundFault(end: string | null, start: string, isLast: boolean): string | undefined {
  if (isLast) return end === null ? undefined : "Must be null: the last tier has no end.";
  if (end === null) return "Must be a quantity: only the last tier has no end.";
  return compareDecimals(end, start) > 0 ? undefined : `Must be greater than ${start}, where the tier begins.`;
}
