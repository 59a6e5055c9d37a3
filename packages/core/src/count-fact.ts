import { type CycleState, newCycle } from "./balance-cycle.ts";
import type { BalanceState, FactOutcome } from "./balance-state.ts";
import { addSegments, countUsage } from "./count-usage.ts";
import { cycleAt } from "./cycle.ts";
import { addExact, type Exact } from "./exact.ts";
import { reclose } from "./reclose.ts";

/** Something that has happened, whatever the limit. */
export interface Fact {
  /** What it adds to the cycle that begins at an instant. */
  readonly valueIn: (cycleStart: number) => Exact;
  /** When it happened, in milliseconds. */
  readonly instant: number;
  /** The segments that it is in, as bits. */
  readonly segments: number;
}

/** Counts a fact in the cycle that it happened in, or, when that cannot change any more, as the terms say. */
export function countFact(state: BalanceState, { valueIn, instant, segments }: Fact): FactOutcome {
  const { current, previous, terms } = state;
  if (instant < state.since || state.is_final || instant >= (state.ended_at ?? Infinity)) return "ignored";
  if (instant >= current.end) {
    // Its end is known when it begins.
    state.ahead ??= newCycle(current.index + 1, { start: current.end, end: current.end });
    countUsage(state.ahead, terms, { value: valueIn(current.end), instant, segments });
    return "counted";
  }
  if (instant >= current.start) {
    countUsage(current, terms, { value: valueIn(current.start), instant, segments });
    return "counted";
  }
  if (previous !== null && instant >= previous.start) {
    const value = valueIn(previous.start);
    reclose(state, previous, () => countUsage(previous, terms, { value, instant, segments }));
    if (terms.accumulates) addSegments(current, terms, segments, value);
    return "late";
  }
  const start = startOfCycle(state, instant);
  const value = valueIn(start);
  if (terms.late === "reject") {
    state.rejected_late = addExact(state.rejected_late, value);
    return "rejected";
  }
  if (terms.late === "adjust") adjust(current, start, value);
  countUsage(current, terms, { value, instant, segments });
  return "late";
}

/** Where the cycle of an instant began, by the schedule that was followed then. */
function startOfCycle({ terms, past_schedules, since }: BalanceState, instant: number): number {
  const past = past_schedules.find(({ until }) => instant < until);
  return Math.max(cycleAt((past ?? terms).schedule, instant).start, since);
}

function adjust({ adjustments }: CycleState, start: number, units: Exact): void {
  const known = adjustments.find(({ cycle_start }) => cycle_start === start);
  if (known === undefined) adjustments.push({ cycle_start: start, units });
  else known.units = addExact(known.units, units);
}
