import type { MetricDefinition } from "@tidemark/contract/metric-schema";
import { formatExact } from "@tidemark/core/exact";

type Unit = Pick<MetricDefinition, "aggregation" | "allow_negative" | "decimal_places">;

/** A total as it is shown: below zero only where the metric allows it. The stored total keeps its sign. */
export function clamp(total: bigint, metric: Pick<Unit, "allow_negative">): bigint {
  return total < 0n && !metric.allow_negative ? 0n : total;
}

/** A total in the metric's smallest unit as the exact decimal that answers carry. */
export function toQuantity(total: bigint, metric: Unit): string;
/** The same where there may be none: nothing counts as "0", but of values that were not said there is no quantity. */
export function toQuantity(total: bigint | undefined, metric: Unit): string | null;
export function toQuantity(total: bigint | undefined, metric: Unit): string | null {
  if (total === undefined) return MEASURES.has(metric.aggregation) ? null : "0";
  return formatExact(clamp(total, metric), metric.decimal_places);
}

/** Aggregations that choose a value instead of adding up. */
const MEASURES: ReadonlySet<Unit["aggregation"]> = new Set(["max", "min", "latest"]);
