import type { BalanceDefinition, FinalCycle, StoredBalance } from "@tidemark/contract";
import type { Statement } from "@tidemark/contract/statement-schema";
import { type Adjustment, carriedOf, type CycleState, limitOf } from "@tidemark/core/balance-cycle";
import { balanceFromText } from "@tidemark/core/balance-text";
import type { ClosedCycle } from "@tidemark/core/closed-cycle";
import { boundaryOf, cycleAt } from "@tidemark/core/cycle";
import type { Exact } from "@tidemark/core/exact";
import { fromExactJson } from "@tidemark/core/exact-json";
import type { Terms } from "@tidemark/core/terms";
import { finalAt } from "../balances/to-balance.ts";

/** One cycle of one balance, to be charged for. Quantities are in the metric's smallest unit. */
export interface ChargedCycle {
  readonly definition: BalanceDefinition;
  /** Of a limit `per` label: whose. */
  readonly label: string;
  readonly status: Statement["status"];
  readonly final_at: number | null;
  readonly start: number;
  readonly end: number;
  readonly limit: Exact | null;
  readonly carried: Exact;
  readonly used: Exact;
  /** What usage that goes on had come to when the cycle began. */
  readonly used_before: Exact;
  readonly overage: Exact;
  /** By the segments of their events, as bits. */
  readonly segments: Readonly<Record<string, Exact>>;
  readonly adjustments: readonly Readonly<Adjustment>[];
}

/** The cycles of a balance that can still change: the current one, and the one before while it is in grace. */
export function changingCycles(stored: StoredBalance): readonly ChargedCycle[] {
  const { definition, previous_definition, label, state: text, ended_at } = stored;
  const state = balanceFromText(text);
  const { current, previous, terms } = state;
  const open: ChargedCycle = { definition, label, ...toCharged(current), status: "open", final_at: null };
  const last: ChargedCycle =
    ended_at === null ? open : { ...open, status: "grace", final_at: finalAfter(terms, ended_at) };
  if (previous === null) return [last];
  // Terms that were changed meanwhile are those of the cycle that goes on.
  const whose = { definition: previous_definition ?? definition, label };
  return [last, { ...whose, ...toCharged(previous), status: "grace", final_at: finalAt(state, previous) }];
}

function toCharged(cycle: CycleState): Omit<ChargedCycle, "definition" | "label" | "status" | "final_at"> {
  const { start, end, used, used_before, overage, segments, adjustments } = cycle;
  return {
    start,
    end,
    limit: limitOf(cycle),
    carried: carriedOf(cycle),
    used,
    used_before,
    overage,
    segments,
    adjustments,
  };
}

/** A cycle that is final. */
export function finalCycle({ definition, label, body }: FinalCycle): ChargedCycle {
  const closed = fromExactJson(body) as ClosedCycle;
  const { start, end, limit, carried, used, used_before, overage, segments, adjustments } = closed;
  const final_at = finalAfter(definition.terms, end);
  const figures = { start, end, limit, carried, used, used_before, overage, segments, adjustments };
  return { definition, label, status: "final", final_at, ...figures };
}

/** When a cycle that nothing can change any more was final: after its grace, or with the end of its next one. */
function finalAfter({ grace_ms, schedule }: Terms, end: number): number {
  return Math.min(end + grace_ms, cycleAt(schedule, end).end);
}

/** A subscription without a metric, which no meter knows. */
export interface FeeSubscription {
  readonly definition: BalanceDefinition;
  readonly created_at: number;
  readonly ended_at: number | null;
}

/**
 * The cycles of a subscription without a metric, latest first: nothing late can come, so that a cycle is
 * final when it ends.
 *
 * @param before only cycles that ended before this.
 */
export function feeCycles(
  { definition, created_at, ended_at }: FeeSubscription,
  { now, before, limit }: { readonly now: number; readonly before: number; readonly limit: number },
): readonly ChargedCycle[] {
  const { schedule } = definition.terms;
  const first = cycleAt(schedule, created_at).index;
  const until = ended_at ?? Infinity;
  const cycles: ChargedCycle[] = [];
  // One that ends the instant that a cycle begins has nothing of it.
  let { index } = cycleAt(schedule, Math.min(now, until - 1, before));
  for (; index >= first && cycles.length < limit; index--) {
    const [start, boundary] = [boundaryOf(schedule, index), boundaryOf(schedule, index + 1)];
    const end = Math.min(boundary, until);
    // A zone that skips a day has an empty cycle there.
    if (start >= boundary || end >= before) continue;
    const isOver = end <= now;
    cycles.push({
      definition,
      label: "",
      ...NOTHING,
      start,
      end,
      status: isOver ? "final" : "open",
      final_at: isOver ? end : null,
    });
  }
  return cycles;
}

const NOTHING = { limit: null, carried: 0, used: 0, used_before: 0, overage: 0, segments: {}, adjustments: [] };
