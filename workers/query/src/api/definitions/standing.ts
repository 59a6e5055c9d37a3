import type { StoredBalance } from "@tidemark/contract";
import type { BalanceAnswer } from "@tidemark/contract/balance-schema";
import { formatExact } from "@tidemark/core/exact";
import { toInstantText } from "../../plumbing/instant.ts";

/** Where a balance stands, as every answer about one says it. */
export type Standing = Pick<
  BalanceAnswer,
  "label" | "limit" | "carried" | "used" | "reserved" | "remaining" | "overage" | "cycle"
>;

/** A meter's view of a balance in the metric's unit. Under a limit, what was given back beyond what was used is no use. */
export function toStanding({ view, label, metric, definition }: StoredBalance): Standing {
  const places = metric.decimal_places;
  const { limit, remaining } = view;
  const used = definition.terms.base !== null && view.used < 0 ? 0 : view.used;
  return {
    label: definition.terms.per === null ? null : label,
    limit: limit === null ? null : formatExact(limit, places),
    carried: formatExact(view.carried, places),
    used: formatExact(used, places),
    reserved: formatExact(view.reserved, places),
    remaining: remaining === null ? null : formatExact(remaining, places),
    // Where nothing is limited nothing goes beyond a limit.
    overage: limit === null ? "0" : formatExact(view.overage, places),
    cycle: toCycle(view.cycle),
  };
}

/** A span as answers write it. */
export function toCycle({ start, end }: { readonly start: number; readonly end: number }): Standing["cycle"] {
  return { start: toInstantText(start), end: toInstantText(end) };
}
