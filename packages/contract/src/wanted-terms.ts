import { DECIMAL_PLACES_MAX, type Exact, formatExact, toExact } from "@tidemark/core/exact";
import type { Metric } from "@tidemark/core/metric";
import {
  type Carryover,
  defaultsOf,
  type Enforcement,
  type MetricType,
  type Terms,
  type TermsFault,
  termsFaults,
} from "@tidemark/core/terms";
import { UNIQUE_LIMIT_MAX } from "./limits.ts";
import type { RawAmount } from "./decision.ts";
import type { Unavailable } from "./quota.ts";

/** Terms as people set them: quantities are in the metric's unit, times in seconds. */
export interface WantedTerms {
  /** `null`: nothing is limited, only counted. */
  readonly base: RawAmount | null;
  readonly enforcement: Enforcement;
  readonly carryover: WantedCarryover | null;
  readonly unavailable: Unavailable;
  readonly late: Terms["late"];
  readonly grace_seconds: number;
  /** A label of the metric. */
  readonly per: string | null;
  readonly starts_from: Terms["starts_from"];
}

/** See `Carryover`. */
export interface WantedCarryover {
  readonly cap: RawAmount | { readonly percent: number } | null;
  readonly expires_after: number | null;
  readonly overage: Carryover["overage"];
}

/** The same with what may be left out: then the default of the metric's type holds. */
export type PartialTerms = Pick<WantedTerms, "base"> & {
  readonly [Field in keyof WantedTerms]?: WantedTerms[Field] | undefined;
};

/**
 * Terms with the defaults of a metric's type where nothing is said. Without a base there is nothing to
 * enforce or to carry over.
 */
export function completeTerms(terms: PartialTerms, type: MetricType): WantedTerms {
  const defaults = defaultsOf(type);
  const isLimit = terms.base !== null;
  const carryover = isLimit ? defaults.carryover : null;
  return {
    base: terms.base,
    enforcement: terms.enforcement ?? (isLimit ? defaults.enforcement : "monitor"),
    carryover: terms.carryover === undefined ? (carryover === null ? null : UNLIMITED) : terms.carryover,
    unavailable: terms.unavailable ?? "closed",
    late: terms.late ?? defaults.late,
    grace_seconds: terms.grace_seconds ?? defaults.grace_ms / 1000,
    per: terms.per ?? null,
    starts_from: terms.starts_from ?? defaults.starts_from,
  };
}

/** Everything that is unused is carried, and for ever. */
const UNLIMITED: WantedCarryover = { cap: null, expires_after: null, overage: "forgive" };

/** What of a metric decides which terms it can have. */
export type LimitedMetric = Pick<Metric, "aggregation" | "decimal_places" | "group_by">;

/** What of terms a person does not set by themselves. */
export type TermsFrame = Pick<Terms, "schedule" | "accumulates" | "by_segment">;

/** Terms as a meter keeps them, or why they make no sense, by the field that says it. */
export function toTerms(
  wanted: WantedTerms,
  metric: LimitedMetric,
  frame: TermsFrame,
): { readonly terms: Terms } | { readonly faults: readonly TermsFault[] } {
  const places = metric.decimal_places;
  const base = wanted.base === null ? null : readUnits(wanted.base, places, "base");
  const carryover = wanted.carryover === null ? null : readCarryover(wanted.carryover, places);
  const misread = [base, carryover].filter(isFault);
  if (isFault(base) || isFault(carryover)) return { faults: misread };
  const { enforcement, late, per, starts_from, grace_seconds } = wanted;
  const { aggregation } = metric;
  const grace_ms = grace_seconds * 1000;
  const terms = { base, aggregation, enforcement, carryover, late, grace_ms, per, starts_from, ...frame };
  const faults = [...termsFaults(terms), ...metricFaults(terms, metric)];
  return faults.length > 0 ? { faults } : { terms };
}

/** What makes no sense with this metric. */
function metricFaults({ base, per, starts_from }: Terms, { aggregation, group_by }: LimitedMetric): TermsFault[] {
  const faults: TermsFault[] = [];
  if (aggregation === "unique" && base !== null && base > UNIQUE_LIMIT_MAX)
    faults.push({
      path: ["base"],
      detail: `Distinct values are limited exactly, by remembering each; that goes up to ${UNIQUE_LIMIT_MAX} in a cycle.`,
    });
  if (per !== null && !group_by.includes(per))
    faults.push({
      path: ["per"],
      detail:
        group_by.length === 0
          ? "The metric is not split by a label."
          : `Must be a label of the metric: ${group_by.join(", ")}.`,
    });
  if (starts_from === "last" && aggregation !== "max")
    faults.push({ path: ["starts_from"], detail: "Only a maximum can begin with the last value: use empty." });
  return faults;
}

/** Terms as people read them: what `toTerms` came from, with every field. */
export function fromTerms(
  terms: Terms,
  places: number,
): Omit<WantedTerms, "unavailable" | "base" | "carryover"> & {
  readonly base: string | null;
  readonly carryover:
    | (Omit<WantedCarryover, "cap"> & { readonly cap: string | { readonly percent: number } | null })
    | null;
} {
  const { base, enforcement, carryover, late, grace_ms, per, starts_from } = terms;
  return {
    base: base === null ? null : formatExact(base, places),
    enforcement,
    carryover: carryover === null ? null : { ...carryover, cap: capText(carryover.cap, places) },
    late,
    grace_seconds: grace_ms / 1000,
    per,
    starts_from,
  };
}

function capText(cap: Carryover["cap"], places: number): string | { readonly percent: number } | null {
  return cap === null || "percent" in cap ? cap : formatExact(cap.units, places);
}

function readCarryover({ cap, ...rest }: WantedCarryover, places: number): Carryover | TermsFault {
  if (cap === null || typeof cap === "object") return { cap, ...rest };
  const units = readUnits(cap, places, "carryover", "cap");
  return isFault(units) ? units : { cap: { units }, ...rest };
}

/** A quantity that is not negative, in the metric's smallest unit. */
function readUnits(amount: RawAmount, places: number, ...path: readonly string[]): Exact | TermsFault {
  const units = toUnits(amount, places);
  if (typeof units === "string") return { path, detail: units };
  return units < 0 ? { path, detail: "Must not be negative." } : units;
}

/** A quantity in a metric's smallest unit, or what is wrong with it. */
export function toUnits(amount: RawAmount, places: number): Exact | string {
  const units = toExact(amount, Math.min(places, DECIMAL_PLACES_MAX));
  switch (units) {
    case "not_a_number":
      return "Must be a decimal.";
    case "too_precise":
      return places === 0
        ? "Must be a whole number: the metric has no decimal places."
        : `Must have at most ${places} decimal places, as the metric has.`;
    case "out_of_range":
      return "Is too large: it must fit 64 bits in the metric's smallest unit.";
    default:
      return units;
  }
}

function isFault(value: Exact | Carryover | TermsFault | null): value is TermsFault {
  return typeof value === "object" && value !== null && "detail" in value;
}
