import type { MetricDefinition } from "@tidemark/contract/metric-schema";
import { formatExact } from "@tidemark/core/exact";

type Unit = Pick<MetricDefinition, "allow_negative" | "decimal_places">;

/** A total as it is shown: below zero only where the metric allows it. The stored total keeps its sign. */
export function clamp(total: bigint, metric: Pick<Unit, "allow_negative">): bigint {
  return total < 0n && !metric.allow_negative ? 0n : total;
}

/** A total in the metric's smallest unit as the exact decimal that answers carry. */
export function toQuantity(total: bigint, metric: Unit): string {
  return formatExact(clamp(total, metric), metric.decimal_places);
}
