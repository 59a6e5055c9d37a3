import type { CycleInterval } from "@tidemark/core/cycle";
import { hashId } from "@tidemark/core/fingerprint";
import type { Price } from "@tidemark/core/price";
import type { TermsFault } from "@tidemark/core/terms";
import type { MeterAddress } from "./meter.ts";
import type { BalanceDefinition, MeteredMetric, ProductTerms } from "./quota.ts";
import { toTerms, type WantedTerms } from "./wanted-terms.ts";

/** What is stored of a product beside its columns. Complete: what a person left out has its default. */
export interface ProductDefinition {
  readonly name: string;
  readonly description: string;
  readonly prices: readonly Price[];
  readonly charge_on: ProductTerms["charge_on"];
  readonly cycle_interval: CycleInterval;
  /** What a subscription may use; `null`: it is only counted. */
  readonly allowance: WantedTerms | null;
  /** Whether usage goes on from cycle to cycle, by the metric's type. */
  readonly accumulates: boolean;
}

/** A product to subscribe to. */
export interface Subscribable {
  readonly id: string;
  readonly slug: string;
  readonly definition: ProductDefinition;
}

/** Who subscribes, from when on. */
export interface Subscriber {
  /** The subscription's id; see `definitionId`. */
  readonly id: string;
  /** Where cycle 0 begins, in milliseconds. */
  readonly anchor: number;
  readonly time_zone: string;
}

/** Counted and charged for, never limited. */
export const UNLIMITED_TERMS: WantedTerms = {
  base: null,
  enforcement: "monitor",
  carryover: null,
  unavailable: "closed",
  late: "adjust",
  grace_seconds: 86_400,
  per: null,
  starts_from: "empty",
};

/**
 * A subscription to a product with a metric, as the customer's meter has to know it: it keeps the terms that
 * the product has now. Or why these, or its prices, do not go with the metric any more.
 */
export function toSubscription(
  product: Subscribable,
  metric: Pick<
    MeteredMetric["metric"],
    "id" | "aggregation" | "decimal_places" | "group_by" | "segments" | "allow_negative"
  >,
  { id, anchor, time_zone }: Subscriber,
): { readonly definition: BalanceDefinition } | { readonly faults: readonly TermsFault[] } {
  const { allowance, cycle_interval, accumulates, prices } = product.definition;
  const wanted = allowance ?? UNLIMITED_TERMS;
  const schedule = { interval: cycle_interval, anchor, time_zone };
  const by_segment = prices.some(({ segment }) => segment !== null);
  const read = toTerms(wanted, metric, { schedule, accumulates, by_segment });
  const faults = [...("faults" in read ? read.faults : []), ...segmentFaults(prices, metric)];
  if ("faults" in read || faults.length > 0) return { faults };
  const sold = toProductTerms(product, metric);
  return {
    definition: { id, metric_id: metric.id, terms: read.terms, unavailable: wanted.unavailable, product: sold },
  };
}

/** A price of what is not told apart any more would charge nothing, and nobody would notice. */
function segmentFaults(
  prices: readonly Price[],
  metric: Pick<MeteredMetric["metric"], "segments">,
): readonly TermsFault[] {
  return prices.flatMap(({ segment }, index) =>
    segment === null || metric.segments.some(({ name }) => name === segment)
      ? []
      : [{ path: ["prices", `${index}`, "segment"], detail: `The metric has no segment ${segment}, which is priced.` }],
  );
}

/** What a subscription keeps of its product, and of the product's metric if it has one. */
export function toProductTerms(
  { id, slug, definition }: Subscribable,
  metric: Pick<MeteredMetric["metric"], "segments" | "allow_negative"> | null,
): ProductTerms {
  const { name, prices, charge_on } = definition;
  const segments = metric?.segments.map((segment) => segment.name) ?? [];
  const { allow_negative } = metric ?? {};
  const signs = allow_negative === undefined ? {} : { allow_negative };
  return { id, slug, name, prices, charge_on, segments, ...signs };
}

/**
 * The id of an allowance or subscription. It follows from whose it is, of what, and how many the customer had of
 * that before: two requests that come together, and one that is sent again, mean the same one.
 *
 * @param subject the metric's id; of a product without one, the product's.
 */
export function definitionId(
  prefix: "alw" | "sub",
  { project_id, customer_id }: MeterAddress,
  subject: string,
  before: number,
): string {
  const words: number[] = [0, 0];
  hashId(JSON.stringify([prefix, project_id, customer_id, subject, before]), words, 0);
  return `${prefix}_${words.map((word) => word.toString(16).padStart(8, "0")).join("")}`;
}
