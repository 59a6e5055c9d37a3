import type { Statement } from "@tidemark/contract/statement-schema";
import { addExact, type Exact, formatExact } from "@tidemark/core/exact";
import { differenceOf, roundAmount, sumAmounts } from "@tidemark/core/money";
import { type Price, rate } from "@tidemark/core/price";
import { toInstantText } from "../../plumbing/instant.ts";
import type { ChargedCycle } from "./charged-cycle.ts";

/** How a metric's quantities are charged. */
export interface ChargedMetric {
  readonly decimal_places: number;
  /** Whether what is below 0 is charged as it is, and not as 0. */
  readonly allow_negative: boolean;
}

/** What a cycle is charged for. */
export type Charges = Pick<Statement, "lines" | "adjustments" | "totals">;

/** Of a product without a metric. */
export const NO_METRIC: ChargedMetric = { decimal_places: 0, allow_negative: false };

/**
 * What a cycle costs: a line for each price, and an adjustment for each older cycle of which usage came when
 * it was final.
 *
 * @param earlier the balance's cycles before this one, latest first, as far back as those that it adjusts.
 */
export function rateCycle(cycle: ChargedCycle, metric: ChargedMetric, earlier: readonly ChargedCycle[]): Charges {
  const before = earlier.find(({ end }) => end === cycle.start);
  const lines = pricesOf(cycle).map((price) => toLine(price, cycle, metric, before));
  const adjustments = cycle.adjustments.map((adjustment, index) =>
    toAdjustment(adjustment, index + 1, cycle, metric, earlier),
  );
  const amounts = [...lines, ...adjustments].filter(({ currency }) => currency !== null);
  const [currency = null] = amounts.map((one) => one.currency);
  const sum = sumAmounts(amounts.map(({ amount }) => amount));
  return {
    lines,
    adjustments,
    totals: currency === null ? [] : [{ currency, amount: roundAmount(sum, currency).amount }],
  };
}

/** An amount per cycle is charged once, also where each label has an allowance of its own. */
function pricesOf({ definition, label }: ChargedCycle): readonly Price[] {
  const prices = definition.product?.prices ?? [];
  return label === "" ? prices : prices.filter(({ model }) => model !== "flat");
}

function toLine(
  price: Price,
  cycle: ChargedCycle,
  metric: ChargedMetric,
  before: ChargedCycle | undefined,
): Statement["lines"][number] {
  const { model, segment, currency } = price;
  const name = cycle.definition.product?.name ?? "";
  const isFlat = model === "flat";
  const quantity = isFlat ? 1 : quantityOf(price, cycle, metric, before);
  const places = isFlat ? 0 : metric.decimal_places;
  const { parts, ...amounts } = rate(price, quantity, places);
  return {
    description: segment === null ? name : `${name}: ${segment}`,
    model,
    segment,
    quantity: formatExact(quantity, places),
    parts: parts.map((part) => ({ ...part })),
    ...amounts,
    currency,
  };
}

/** What a price is asked about: all usage but that of older cycles, or that of a segment. */
function quantityOf(
  { segment }: Price,
  cycle: ChargedCycle,
  metric: ChargedMetric,
  before: ChargedCycle | undefined,
): Exact {
  if (segment === null) return ownQuantity(cycle, metric);
  const used = shown(ofSegment(cycle, segment), metric);
  if (!isByDelta(cycle) || before === undefined) return used;
  return subtract(used, shown(ofSegment(before, segment), metric));
}

/** Usage that the cycle is charged for as its own. A total has everything, whenever it came. */
function ownQuantity(cycle: ChargedCycle, metric: ChargedMetric): Exact {
  const { used, used_before, adjustments, definition } = cycle;
  if (definition.terms.accumulates && !isByDelta(cycle)) return shown(used, metric);
  const late = adjustments.reduce<Exact>((sum, { units }) => addExact(sum, units), 0);
  const own = subtract(used, late);
  return isByDelta(cycle) ? subtract(shown(own, metric), shown(used_before, metric)) : shown(own, metric);
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

/**
 * What late usage adds to the cycle that it is of, as that cycle was priced and together with what came late
 * before; where a running total is charged, to each cycle from there on.
 */
function toAdjustment(
  { cycle_start, units }: ChargedCycle["adjustments"][number],
  number: number,
  cycle: ChargedCycle,
  metric: ChargedMetric,
  earlier: readonly ChargedCycle[],
): Statement["adjustments"][number] {
  const runs = cycle.definition.terms.accumulates && !isByDelta(cycle);
  const isTouched = ({ start, end }: ChargedCycle): boolean => cycle_start < end && (runs || start <= cycle_start);
  const differences = earlier.filter(isTouched).flatMap((old) => {
    const late = lateBefore(old, earlier, runs);
    const before = addExact(ownQuantity(old, metric), late);
    const after = addExact(before, units);
    return pricesOf(old)
      .filter(({ model, segment }) => model !== "flat" && segment === null)
      .map((price) => difference(price, before, after, metric.decimal_places));
  });
  const currency = cycle.definition.product?.prices[0]?.currency ?? null;
  const amount = sumAmounts(differences.map((one) => one.amount));
  return {
    number,
    for_cycle: toInstantText(cycle_start),
    quantity: formatExact(units, metric.decimal_places),
    exact_amount: sumAmounts(differences.map((one) => one.exact_amount)),
    amount: currency === null ? "0" : roundAmount(amount, currency).amount,
    currency,
    rounding: currency === null ? "none" : `difference of amounts, each ${roundAmount("0", currency).rounding}`,
  };
}

/** What had come late for a cycle before. */
function lateBefore(old: ChargedCycle, earlier: readonly ChargedCycle[], runs: boolean): Exact {
  return earlier
    .filter(({ start }) => start > old.start)
    .flatMap(({ adjustments }) => adjustments)
    .filter(({ cycle_start }) => cycle_start < old.end && (runs || cycle_start >= old.start))
    .reduce<Exact>((sum, { units }) => addExact(sum, units), 0);
}

function difference(
  price: Price,
  before: Exact,
  after: Exact,
  places: number,
): { readonly exact_amount: string; readonly amount: string } {
  const [was, is] = [rate(price, before, places), rate(price, after, places)];
  return { exact_amount: differenceOf(is.exact_amount, was.exact_amount), amount: differenceOf(is.amount, was.amount) };
}

function shown(units: Exact, { allow_negative }: ChargedMetric): Exact {
  return units < 0 && !allow_negative ? 0 : units;
}

function subtract(a: Exact, b: Exact): Exact {
  return addExact(a, -b);
}
