import { baseId, bucketOf, type CycleState, type Entry } from "./balance-cycle.ts";
import { greater, lesser, subtract } from "./bucket.ts";
import { enter, forfeitExcess, withdraw } from "./cycle-units.ts";
import { addExact, type Exact } from "./exact.ts";
import type { Hold } from "./hold.ts";

/**
 * Sets what the cycle grants; debt is repaid from it first. Raised, it can be used at once; lowered, what is
 * left shrinks and nothing that was used or is held becomes a debt.
 */
export function setBase(cycle: CycleState, base: Exact | null): void {
  cycle.base = base;
  if (base === null) return;
  const repaid = lesser(base, cycle.debt);
  const more = subtract(repaid, cycle.repaid);
  cycle.repaid = repaid;
  if (more > 0) cycle.granted = addExact(cycle.granted, more);
  else cycle.forfeited = subtract(cycle.forfeited, more);
  const bucket = bucketOf(cycle, baseId(cycle.index));
  const missing = subtract(subtract(base, repaid), bucket?.units ?? 0);
  if (missing > 0) {
    cycle.granted = addExact(cycle.granted, missing);
    if (bucket !== undefined) bucket.lost = greater(subtract(bucket.lost, missing), 0);
    enter(cycle, baseEntry(cycle.index, missing));
  } else if (bucket !== undefined) bucket.left = subtract(bucket.left, forfeitExcess(cycle, bucket, bucket.left));
}

/**
 * Changes what the base pays of earlier overage. More of it is withdrawn from the base, less is there to be
 * used again. `holds`: the reservations of the cycle.
 */
export function setDebt(cycle: CycleState, debt: Exact, holds: readonly Hold[]): void {
  const { base } = cycle;
  cycle.debt = debt;
  if (base === null) return;
  const before = subtract(base, cycle.repaid);
  const repaid = lesser(base, debt);
  const more = subtract(repaid, cycle.repaid);
  cycle.repaid = repaid;
  if (more > 0) {
    const unforfeited = takeLost(cycle, lesser(more, excessOver(cycle, before)));
    withdraw(cycle, baseId(cycle.index), subtract(more, unforfeited), holds);
  } else if (more < 0) enter(cycle, baseEntry(cycle.index, -more));
}

/** What was used or is held of a base beyond what it was lowered to. */
function excessOver(cycle: CycleState, granted: Exact): Exact {
  return greater(subtract(bucketOf(cycle, baseId(cycle.index))?.units ?? 0, granted), 0);
}

/** Where less was there when a base was lowered, less was forfeited. @returns how much. */
function takeLost(cycle: CycleState, units: Exact): Exact {
  const bucket = bucketOf(cycle, baseId(cycle.index));
  if (bucket === undefined) return 0;
  const taken = lesser(bucket.lost, units);
  bucket.lost = subtract(bucket.lost, taken);
  cycle.forfeited = subtract(cycle.forfeited, taken);
  return taken;
}

function baseEntry(index: number, units: Exact): Entry {
  return { id: baseId(index), kind: "base", origin: index, last_cycle: null, expires_at: null, reason: null, units };
}
