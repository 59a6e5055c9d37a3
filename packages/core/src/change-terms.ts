import type { CycleState } from "./balance-cycle.ts";
import type { BalanceState } from "./balance-state.ts";
import { greater } from "./bucket.ts";
import type { Schedule } from "./cycle.ts";
import { setBase } from "./cycle-base.ts";
import { addExact, type Exact } from "./exact.ts";
import type { Terms } from "./terms.ts";

/**
 * Puts other terms in the place of these while the cycle goes on. Another zone, anchor or interval begins with
 * the next one.
 */
export function changeTerms(state: BalanceState, terms: Terms, mode: "keep" | "prorate", now: number): void {
  const { current, terms: before } = state;
  state.next_schedule = isSameSchedule(before.schedule, terms.schedule) ? null : terms.schedule;
  state.terms = { ...terms, schedule: before.schedule };
  if (terms.base === before.base) return;
  setBase(current, mode === "prorate" ? prorated(before.base, terms.base, current, now) : terms.base);
}

function isSameSchedule(a: Schedule, b: Schedule): boolean {
  return (
    a.anchor === b.anchor &&
    a.time_zone === b.time_zone &&
    a.interval.count === b.interval.count &&
    a.interval.period === b.interval.period
  );
}

/** Each base for its share of the cycle, rounded down; what the cycle has may itself be a share. */
function prorated(before: Exact | null, after: Exact | null, cycle: CycleState, now: number): Exact | null {
  if (before === null || after === null || cycle.base === null) return after;
  const length = BigInt(cycle.end - cycle.start);
  const elapsed = BigInt(now - cycle.start);
  const share = (BigInt(before) * elapsed + BigInt(after) * (length - elapsed)) / length;
  // Shares of shares are rounded down more than once, which must not go below nothing.
  return greater(addExact(cycle.base, share - BigInt(before)), 0);
}
