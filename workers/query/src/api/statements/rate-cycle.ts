import type { Statement } from "@tidemark/contract/statement-schema";
import { formatExact } from "@tidemark/core/exact";
import { roundAmount, sumAmounts } from "@tidemark/core/money";
import { type Price, rate } from "@tidemark/core/price";
import type { ChargedCycle } from "./charged-cycle.ts";
import { type ChargedMetric, pricesOf, quantityOf } from "./charged-quantity.ts";
import { rateAdjustments } from "./rate-adjustments.ts";

/** What a cycle is charged for. */
export type Charges = Pick<Statement, "lines" | "adjustments" | "totals">;

/** Of a product without a metric. */
export const NO_METRIC: ChargedMetric = { decimal_places: 0, allow_negative: false };

/**
 * What a cycle costs: a line for each price, and an adjustment for each older cycle of which usage came when
 * it was final, in each currency that it was sold in.
 *
 * @param earlier the balance's cycles before this one, latest first, as far back as those that it adjusts.
 */
export function rateCycle(cycle: ChargedCycle, metric: ChargedMetric, earlier: readonly ChargedCycle[]): Charges {
  const before = earlier.find(({ end }) => end === cycle.start);
  const lines = pricesOf(cycle).map((price) => toLine(price, cycle, metric, before));
  const adjustments = rateAdjustments(cycle, metric, earlier);
  return { lines, adjustments, totals: toTotals([...lines, ...adjustments]) };
}

/** The sum of each currency, in the order in which they occur. */
function toTotals(
  charged: readonly { readonly currency: string | null; readonly amount: string }[],
): Statement["totals"] {
  return Array.from(
    Map.groupBy(charged, ({ currency }) => currency),
    ([currency, own]) => ({ currency, sum: sumAmounts(own.map(({ amount }) => amount)) }),
  ).flatMap(({ currency, sum }) => (currency === null ? [] : { currency, amount: roundAmount(sum, currency).amount }));
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
