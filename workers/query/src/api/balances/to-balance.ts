import type { GrantNote, StoredBalance } from "@tidemark/contract";
import type { BalanceAnswer } from "@tidemark/contract/balance-schema";
import type { BalanceState } from "@tidemark/core/balance-state";
import { balanceFromText } from "@tidemark/core/balance-text";
import { carriedOf, type CycleState, limitOf } from "@tidemark/core/balance-cycle";
import { tallyOf } from "@tidemark/core/balance-view";
import { closeCycle } from "@tidemark/core/closing";
import { addExact, type Exact, formatExact } from "@tidemark/core/exact";
import { toInstantText, toOptionalInstant } from "../../plumbing/instant.ts";
import { toCycle, toStanding } from "../definitions/standing.ts";

/** Writes a quantity in the metric's unit. */
type Write = (units: Exact) => string;

/** A meter's balance with everything that it is made of, as it is answered. */
export function toBalance(stored: StoredBalance, metric: string): BalanceAnswer {
  const { definition, grants, holds } = stored;
  const state = balanceFromText(stored.state);
  const write: Write = (units) => formatExact(units, stored.metric.decimal_places);
  return {
    id: definition.id,
    metric,
    product: definition.product?.slug ?? null,
    enforcement: definition.terms.enforcement,
    ...toStanding(stored),
    next_cycle: stored.ended_at === null ? toNextCycle(state, write) : null,
    buckets: toBuckets(state, write),
    totals: toTotals(state, write),
    previous: state.previous === null ? null : toPrevious(state, state.previous, write),
    holds: holds.map(({ id, kind, holder, units, expires_at }) => ({
      id,
      kind,
      holder,
      units: write(units),
      expires_at: toInstantText(expires_at),
    })),
    adjustments: state.current.adjustments.map(({ cycle_start, units }) => ({
      for_cycle: toInstantText(cycle_start),
      quantity: write(units),
    })),
    rejected_late: write(state.rejected_late),
    grants: grants.map(toGrant),
    created_at: toInstantText(stored.created_at),
    ended_at: toOptionalInstant(stored.ended_at),
  };
}

/** What the end of the cycle would come to if nothing more happened. */
function toNextCycle({ current, terms }: BalanceState, write: Write): BalanceAnswer["next_cycle"] {
  const { carried, debt } = closeCycle(current, terms);
  const units = carried.reduce<Exact>((sum, entry) => addExact(sum, entry.units), 0);
  const base = terms.base === null ? null : write(terms.base);
  return { start: toInstantText(current.end), base, carried: write(units), debt: write(debt) };
}

function toBuckets({ current }: BalanceState, write: Write): BalanceAnswer["buckets"] {
  return current.buckets.map(({ id, kind, origin, units, left, held, expires_at, reason }) => ({
    id,
    kind,
    origin_cycle: origin,
    units: write(units),
    left: write(left),
    held: write(held),
    expires_at: toOptionalInstant(expires_at),
    reason,
  }));
}

function toTotals(state: BalanceState, write: Write): BalanceAnswer["totals"] {
  const { granted, burned, expired, forfeited, repaid, held } = tallyOf(state);
  return {
    granted: write(granted),
    burned: write(burned),
    expired: write(expired),
    forfeited: write(forfeited),
    repaid: write(repaid),
    held: write(held),
  };
}

function toPrevious(state: BalanceState, cycle: CycleState, write: Write): BalanceAnswer["previous"] {
  const limit = limitOf(cycle);
  return {
    limit: limit === null ? null : write(limit),
    carried: write(carriedOf(cycle)),
    used: write(cycle.used),
    overage: limit === null ? "0" : write(cycle.overage),
    cycle: toCycle(cycle),
    final_at: toInstantText(finalAt(state, cycle)),
  };
}

/** When the cycle before cannot change any more: the one after its next has no room for it. */
export function finalAt({ current, terms }: BalanceState, { end }: Pick<CycleState, "end">): number {
  return Math.min(end + terms.grace_ms, current.end);
}

function toGrant({ id, units, reason, expires_at, at }: GrantNote): BalanceAnswer["grants"][number] {
  return { id, amount: units, reason, expires_at: toOptionalInstant(expires_at), at: toInstantText(at) };
}
