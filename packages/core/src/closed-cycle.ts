import { type Adjustment, carriedOf, type CycleState, limitOf } from "./balance-cycle.ts";
import type { Closing } from "./closing.ts";
import { addExact, type Exact } from "./exact.ts";

/** A cycle that cannot change any more. */
export interface ClosedCycle extends Pick<
  CycleState,
  "index" | "start" | "end" | "used" | "used_before" | "overage" | "segments"
> {
  readonly limit: Exact | null;
  readonly carried: Exact;
  readonly carried_on: Exact;
  readonly expired: Exact;
  readonly forfeited: Exact;
  readonly repaid: Exact;
  readonly debt: Exact;
  readonly adjustments: readonly Adjustment[];
}

/** A cycle with what its end came to. */
export function toClosed(cycle: CycleState, closing: Closing): ClosedCycle {
  const { index, start, end, used, used_before, overage, segments, repaid, adjustments } = cycle;
  return {
    index,
    start,
    end,
    used,
    used_before,
    overage: limitOf(cycle) === null ? 0 : overage,
    segments,
    limit: limitOf(cycle),
    carried: carriedOf(cycle),
    carried_on: closing.carried.reduce<Exact>((sum, { units }) => addExact(sum, units), 0),
    expired: addExact(cycle.expired, closing.expired),
    forfeited: addExact(cycle.forfeited, closing.forfeited),
    repaid,
    debt: closing.debt,
    adjustments,
  };
}
