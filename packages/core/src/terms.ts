import type { Schedule } from "./cycle.ts";
import type { Exact } from "./exact.ts";
import type { Aggregation } from "./metric.ts";

/** What a metric is for, and so what happens at the end of a cycle. */
export type MetricType = "limit_metered" | "limit_recurring" | "charge_metered" | "charge_recurring";

/**
 * `hard`: never admits beyond the allowance. `soft`: admits, and says so. `monitor`: never consulted.
 */
export type Enforcement = "hard" | "soft" | "monitor";

/** What an ended cycle hands to the next. */
export interface Carryover {
  /** The most that carried units may come to: absolute, or per cent of the base; `null`: unlimited. */
  readonly cap: { readonly units: Exact } | { readonly percent: number } | null;
  /** Cycles after their own in which units can be used; `null`: for ever. */
  readonly expires_after: number | null;
  /** `forgive`: overage ends with its cycle. `debit`: it reduces the next base, and the rest rolls on as debt. */
  readonly overage: "forgive" | "debit";
}

/** What holds for one customer and one metric; quantities in the metric's smallest unit. */
export interface Terms {
  /** Units granted with each cycle; `null`: nothing is limited, only counted. */
  readonly base: Exact | null;
  readonly aggregation: Aggregation;
  readonly enforcement: Enforcement;
  /** `null`: what is unused is forfeited. */
  readonly carryover: Carryover | null;
  /** Whether usage goes on from cycle to cycle, for ever. */
  readonly accumulates: boolean;
  /** Of a `max`: what a cycle begins with. */
  readonly starts_from: "empty" | "last";
  /** What becomes of a fact whose cycle is final. */
  readonly late: "adjust" | "current" | "reject";
  /** How long after its end a cycle can still change. A cycle is final at the end of the next one in any case. */
  readonly grace_ms: number;
  readonly schedule: Schedule;
  /** Whether quantities are kept by segment, because a price asks for one. */
  readonly by_segment: boolean;
  /** The label whose values have an allowance each; `null`: labels split reports only. */
  readonly per: string | null;
}

/** A cycle can change for a day after its end, when nothing else is said. */
const GRACE_MS_DEFAULT = 86_400_000;

/** What a type sets where nothing else is said. */
export function defaultsOf(
  type: MetricType,
): Pick<Terms, "enforcement" | "carryover" | "accumulates" | "starts_from" | "late" | "grace_ms"> {
  const common = { accumulates: false, starts_from: "empty", late: "adjust", grace_ms: GRACE_MS_DEFAULT } as const;
  switch (type) {
    case "limit_metered":
      return { ...common, enforcement: "hard", carryover: null };
    case "limit_recurring":
      return {
        ...common,
        enforcement: "soft",
        carryover: { cap: null, expires_after: null, overage: "forgive" },
      };
    case "charge_metered":
      return { ...common, enforcement: "monitor", carryover: null };
    case "charge_recurring":
      return { ...common, enforcement: "monitor", carryover: null, accumulates: true };
  }
}

/** Whether a cycle begins with what the one before came to. */
export function goesOn({ accumulates, aggregation, starts_from }: Terms): boolean {
  return accumulates || (aggregation === "max" && starts_from === "last");
}

/** Something about terms that makes no sense, by the field that says it. */
export interface TermsFault {
  readonly path: readonly string[];
  readonly detail: string;
}

/** Pairs that mean nothing, each with the reason. */
export function termsFaults({
  base,
  aggregation,
  enforcement,
  carryover,
  accumulates,
  per,
}: Omit<Terms, "schedule">): readonly TermsFault[] {
  const faults: TermsFault[] = [];
  const fault = (field: string, detail: string): void => void faults.push({ path: [field], detail });
  const isLimit = base !== null;
  if (!isLimit && enforcement !== "monitor")
    fault("enforcement", `Without a base there is nothing to be ${enforcement} about; give a base, or use monitor.`);
  if (isLimit && aggregation === "min")
    fault("base", "A minimum cannot be limited: the more is used, the lower it gets or stays.");
  if (isLimit && aggregation === "latest")
    fault("base", "The latest value cannot be limited: it says what is, and nothing is used up.");
  if (carryover !== null && !isLimit) fault("carryover", "Without a base nothing is left over that could be carried.");
  if (carryover !== null && aggregation === "max")
    fault("carryover", "A maximum uses nothing up, so nothing is left over that could be carried.");
  if (carryover !== null && accumulates)
    fault("carryover", "Usage that never starts again has no end of a cycle at which something could be carried.");
  if (isLimit && accumulates) fault("base", "Usage that never starts again cannot have an allowance for each cycle.");
  if (per !== null && aggregation === "unique")
    fault("per", "Distinct values are limited for the whole customer, not label by label.");
  return faults;
}
