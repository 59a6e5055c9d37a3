import { carriedOf, type CycleState, leftOf, limitOf } from "./balance-cycle.ts";
import type { BalanceState, BalanceView, Tally } from "./balance-state.ts";
import { greater, OVERAGE, subtract, sumParts } from "./bucket.ts";
import { closeCycle, type Closing } from "./closing.ts";
import { addExact, type Exact } from "./exact.ts";

/** Where a balance stands. */
export function viewOf(state: BalanceState): BalanceView {
  const { current, holds, terms, ended_at } = state;
  const limit = limitOf(current);
  const carried = carriedOf(current);
  const reserved = Array.from(holds.values())
    .filter(({ cycle }) => cycle === current.index)
    .reduce<Exact>((sum, { units }) => addExact(sum, units), 0);
  const cycle = { start: current.start, end: current.end };
  const { used } = current;
  if (terms.aggregation !== "max") {
    const remaining = limit === null ? null : ended_at !== null ? 0 : freeOf(state);
    return { limit, carried, used, reserved, remaining, overage: limit === null ? 0 : current.overage, cycle };
  }
  const room = limit === null ? null : subtract(addExact(limit, carried), used);
  const remaining = room === null ? null : greater(room, 0);
  return { limit, carried, used, reserved, remaining, overage: greater(room === null ? 0 : -room, 0), cycle };
}

/** What can still be used, never below 0: not what was promised to a reservation though no bucket had it. */
export function freeOf(state: BalanceState): Exact {
  const { current } = state;
  return greater(subtract(addExact(leftOf(current), current.credit), promisedOf(state)), 0);
}

/** The same that can be set aside: what was returned too much pays for what is used, not for what may be. */
export function grantableOf(state: BalanceState): Exact {
  return greater(subtract(leftOf(state.current), promisedOf(state)), 0);
}

function promisedOf({ current, holds }: BalanceState): Exact {
  const promised = Array.from(holds.values())
    .filter(({ cycle }) => cycle === current.index)
    .flatMap(({ parts }) => parts.filter(([id]) => id === OVERAGE));
  return sumParts(promised);
}

/** What a balance has come to; see `Tally`. */
export function tallyOf({ totals, previous, current, holds, terms }: BalanceState): Tally {
  const closed = previous === null ? totals : addCycle(totals, previous, closeCycle(previous, terms));
  const inHolds = Array.from(holds.values()).flatMap(({ parts }) => parts.filter(([id]) => id !== OVERAGE));
  return {
    ...addCycle(closed, current, { expired: 0, forfeited: 0 }),
    held: addExact(leftOf(current), sumParts(inHolds)),
  };
}

/** Totals with one cycle more, as its end leaves it. */
export function addCycle(
  { granted, burned, expired, forfeited, repaid }: BalanceState["totals"],
  cycle: CycleState,
  closing: Pick<Closing, "expired" | "forfeited">,
): BalanceState["totals"] {
  return {
    granted: addExact(granted, cycle.granted),
    burned: addExact(burned, cycle.burned),
    expired: addExact(expired, addExact(cycle.expired, closing.expired)),
    forfeited: addExact(forfeited, addExact(cycle.forfeited, closing.forfeited)),
    repaid: addExact(repaid, cycle.repaid),
  };
}
