import { type CycleState, newCycle } from "./balance-cycle.ts";
import type { BalanceState } from "./balance-state.ts";
import { closeCycle } from "./closing.ts";
import { countUsage } from "./count-usage.ts";
import { cycleAt, type Schedule } from "./cycle.ts";
import { setBase } from "./cycle-base.ts";
import { enter } from "./cycle-units.ts";
import { addExact } from "./exact.ts";
import { goesOn, type Terms } from "./terms.ts";

/** Opens the next cycle where the current one ends, which becomes the previous one. */
export function openNext(state: BalanceState, terms: Terms): void {
  const { current: ended, terms: before } = state;
  const { carried, debt } = closeCycle(ended, before);
  ended.closed_by = { carryover: before.carryover, schedule: before.schedule };
  state.previous = ended;
  if (state.next_schedule !== null) noteSchedule(state, before.schedule, ended.end);
  state.terms = { ...terms, schedule: state.next_schedule ?? terms.schedule };
  state.next_schedule = null;
  const cycle = newCycle(ended.index + 1, { start: ended.end, end: cycleAt(state.terms.schedule, ended.end).end });
  cycle.debt = debt;
  for (const entry of carried) enter(cycle, entry);
  setBase(cycle, terms.base);
  if (goesOn(terms)) goOn(cycle, ended);
  state.current = cycle;
  countAhead(state);
}

/** Schedules that are remembered, for facts of cycles long ago. */
const PAST_SCHEDULES_MAX = 20;

function noteSchedule(state: BalanceState, schedule: Schedule, until: number): void {
  state.past_schedules = [...state.past_schedules, { until, schedule }].slice(-PAST_SCHEDULES_MAX);
}

/** Begins a cycle with what the one before came to. */
function goOn(cycle: CycleState, ended: CycleState): void {
  cycle.used = ended.used;
  cycle.used_before = ended.used;
  cycle.is_used = ended.is_used;
  cycle.said_at = ended.said_at;
  cycle.segments = { ...ended.segments };
}

/** Counts what had already been reported of the cycle that has begun. */
function countAhead(state: BalanceState): void {
  const { ahead, current, terms } = state;
  state.ahead = null;
  if (ahead?.is_used !== true) return;
  const segments = { ...current.segments };
  countUsage(current, terms, { value: ahead.used, instant: ahead.said_at ?? current.start, segments: 0 });
  for (const [bits, value] of Object.entries(ahead.segments)) segments[bits] = addExact(segments[bits] ?? 0, value);
  current.segments = segments;
}
