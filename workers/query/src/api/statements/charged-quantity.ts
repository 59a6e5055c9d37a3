import { addExact, type Exact } from "@tidemark/core/exact";
import type { Price } from "@tidemark/core/price";
import type { ChargedCycle } from "./charged-cycle.ts";

/** How a metric's quantities are charged. */
export interface ChargedMetric {
  readonly decimal_places: number;
  /** Whether what is below 0 is charged as it is, and not as 0, where the product that was sold does not say. */
  readonly allow_negative: boolean;
}

/** Usage that came when the cycle that it is of, by its start, was final. */
export type Late = ChargedCycle["adjustments"][number];

/** An amount per cycle is charged once, also where each label has an allowance of its own. */
export function pricesOf({ definition, label }: ChargedCycle): readonly Price[] {
  const prices = definition.product?.prices ?? [];
  return label === "" ? prices : prices.filter(({ model }) => model !== "flat");
}

/** What a price is asked about: all usage but that of older cycles, or that of a segment. */
export function quantityOf(
  { segment }: Price,
  cycle: ChargedCycle,
  metric: ChargedMetric,
  before: ChargedCycle | undefined,
): Exact {
  if (segment === null) return ownQuantity(cycle, metric, []);
  const used = shown(ofSegment(cycle, segment), cycle, metric);
  if (!isByDelta(cycle) || before === undefined) return used;
  return subtract(used, shown(ofSegment(before, segment), before, metric));
}

/**
 * Usage that the cycle is charged for as its own, together with what came late since: a total has everything,
 * whenever it came; what a cycle added leads from one total to the next; other usage is that of the cycle alone.
 */
export function ownQuantity(cycle: ChargedCycle, metric: ChargedMetric, late: readonly Late[]): Exact {
  const { start, end, used, used_before, adjustments, definition } = cycle;
  const atStart = unitsBefore(late, start);
  const atEnd = unitsBefore(late, end);
  const others = sumUnits(adjustments);
  if (!definition.terms.accumulates)
    return shown(addExact(subtract(used, others), subtract(atEnd, atStart)), cycle, metric);
  const total = shown(addExact(used, atEnd), cycle, metric);
  if (!isByDelta(cycle)) return total;
  return subtract(total, shown(addExact(addExact(used_before, others), atStart), cycle, metric));
}

function isByDelta({ definition }: ChargedCycle): boolean {
  return definition.terms.accumulates && definition.product?.charge_on === "delta";
}

function ofSegment({ segments, definition }: ChargedCycle, name: string): Exact {
  const bit = definition.product?.segments.indexOf(name) ?? -1;
  return Object.entries(segments)
    .filter(([bits]) => bit >= 0 && (Number(bits) & (1 << bit)) !== 0)
    .reduce<Exact>((sum, [, units]) => addExact(sum, units), 0);
}

/** What is late of the cycles that began before an instant. */
function unitsBefore(late: readonly Late[], instant: number): Exact {
  return sumUnits(late.filter(({ cycle_start }) => cycle_start < instant));
}

function sumUnits(late: readonly Late[]): Exact {
  return late.reduce<Exact>((sum, { units }) => addExact(sum, units), 0);
}

/** What is below 0 is charged as 0, unless the metric allowed it when the product was sold. */
function shown(units: Exact, { definition }: ChargedCycle, metric: ChargedMetric): Exact {
  const allowsNegative = definition.product?.allow_negative ?? metric.allow_negative;
  return units < 0 && !allowsNegative ? 0 : units;
}

function subtract(a: Exact, b: Exact): Exact {
  return addExact(a, -b);
}
