import type { Statement } from "@tidemark/contract/statement-schema";
import { formatExact } from "@tidemark/core/exact";
import { differenceOf, roundAmount, sumAmounts } from "@tidemark/core/money";
import { rate } from "@tidemark/core/price";
import { toInstantText } from "../../plumbing/instant.ts";
import type { ChargedCycle } from "./charged-cycle.ts";
import { type ChargedMetric, type Late, ownQuantity, pricesOf } from "./charged-quantity.ts";

/**
 * What came for older cycles of a balance when they were final: of each an adjustment in each currency that it
 * was sold in, rated one after another.
 *
 * @param earlier the balance's cycles before this one, as far back as those that it adjusts.
 */
export function rateAdjustments(
  cycle: ChargedCycle,
  metric: ChargedMetric,
  earlier: readonly ChargedCycle[],
): Statement["adjustments"] {
  return cycle.adjustments
    .flatMap((late, index) => {
      const changes = earlier.flatMap((old) =>
        changesOf(old, metric, { known: [...lateAfter(old, earlier), ...cycle.adjustments.slice(0, index)], late }),
      );
      const byCurrency = Map.groupBy(changes, ({ currency }) => currency);
      return byCurrency.size === 0
        ? [toAdjustment(late, metric, null, [])]
        : Array.from(byCurrency, ([currency, own]) => toAdjustment(late, metric, currency, own));
    })
    .map((adjustment, index) => ({ number: index + 1, ...adjustment }));
}

/** What a price's amount changes by. */
interface Change {
  readonly currency: string;
  readonly exact_amount: string;
  readonly amount: string;
}

/**
 * What late usage adds to the cycle that it is of, as that cycle was priced and together with what had come late
 * before; where totals are charged, to each cycle from there on that it changes.
 */
function changesOf(
  old: ChargedCycle,
  metric: ChargedMetric,
  { known, late }: { readonly known: readonly Late[]; readonly late: Late },
): readonly Change[] {
  if (old.end <= late.cycle_start) return [];
  const before = ownQuantity(old, metric, known);
  const after = ownQuantity(old, metric, [...known, late]);
  if (before === after && late.cycle_start < old.start) return [];
  return pricesOf(old)
    .filter(({ model, segment }) => model !== "flat" && segment === null)
    .map((price) => {
      const was = rate(price, before, metric.decimal_places);
      const is = rate(price, after, metric.decimal_places);
      return {
        currency: price.currency,
        exact_amount: differenceOf(is.exact_amount, was.exact_amount),
        amount: differenceOf(is.amount, was.amount),
      };
    });
}

function toAdjustment(
  { cycle_start, units }: Late,
  { decimal_places }: ChargedMetric,
  currency: string | null,
  changes: readonly Change[],
): Omit<Statement["adjustments"][number], "number"> {
  const amount = sumAmounts(changes.map((one) => one.amount));
  return {
    for_cycle: toInstantText(cycle_start),
    quantity: formatExact(units, decimal_places),
    exact_amount: sumAmounts(changes.map((one) => one.exact_amount)),
    amount: currency === null ? "0" : roundAmount(amount, currency).amount,
    currency,
    rounding: currency === null ? "none" : `difference of amounts, each ${roundAmount("0", currency).rounding}`,
  };
}

/** What came late in the cycles after one. */
function lateAfter({ start }: ChargedCycle, earlier: readonly ChargedCycle[]): readonly Late[] {
  return earlier.filter((one) => one.start > start).flatMap(({ adjustments }) => adjustments);
}
