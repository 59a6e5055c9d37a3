import type { CycleState } from "./balance-cycle.ts";
import type { BalanceState } from "./balance-state.ts";
import { greater, lesser, subtract } from "./bucket.ts";
import { closeCycle, type Closing } from "./closing.ts";
import { setDebt } from "./cycle-base.ts";
import { burnAgain, enter, withdraw } from "./cycle-units.ts";
import { addExact, type Exact } from "./exact.ts";
import { goesOn } from "./terms.ts";

/** Changes a cycle in grace: its closing is computed again, and the difference reaches the current cycle. */
export function reclose(state: BalanceState, previous: CycleState, change: () => void): void {
  const { terms } = state;
  const before = closeCycle(previous, terms);
  const usedBefore = previous.used;
  change();
  handOn(state, before, closeCycle(previous, terms));
  if (goesOn(terms)) passOn(state, previous, usedBefore);
}

/** Gives the current cycle what it now begins with, in the place of what it had begun with. */
function handOn({ current, holds }: BalanceState, before: Closing, after: Closing): void {
  const less = new Map(before.carried.map(({ id, units }) => [id, units]));
  for (const { id, units } of after.carried) less.set(id, subtract(less.get(id) ?? 0, units));
  if (before.debt === after.debt && Array.from(less.values()).every((units) => units === 0)) return;
  for (const entry of after.carried) {
    const units = -(less.get(entry.id) ?? 0);
    if (units > 0) enter(current, { ...entry, units });
  }
  // Only now, so that what is used of these can fall to what has come.
  const held = Array.from(holds.values()).filter(({ cycle }) => cycle === current.index);
  for (const [id, units] of less) if (units > 0) withdraw(current, id, units, held);
  setDebt(current, after.debt, held);
  burnAgain(current);
}

/** What changed in a cycle that has ended goes on into the current one, where usage does. */
function passOn({ current, terms }: BalanceState, previous: CycleState, usedBefore: Exact): void {
  switch (terms.aggregation) {
    case "count":
    case "sum":
    case "unique":
      current.used = addExact(current.used, subtract(previous.used, usedBefore));
      break;
    case "max":
      current.used = current.is_used ? greater(current.used, previous.used) : previous.used;
      break;
    case "min":
      current.used = current.is_used ? lesser(current.used, previous.used) : previous.used;
      break;
    case "latest":
      if (current.said_at !== null && (previous.said_at ?? -Infinity) <= current.said_at) break;
      current.used = previous.used;
      current.said_at = previous.said_at;
      break;
  }
  current.used_before = previous.used;
  current.is_used ||= previous.is_used;
}
