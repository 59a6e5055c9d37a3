import { baseId, type ClosingRules, type CycleState, type Entry } from "./balance-cycle.ts";
import { type Bucket, lesser, subtract, sumLeft } from "./bucket.ts";
import { boundaryOf, cycleAt, type Schedule } from "./cycle.ts";
import { addExact, type Exact } from "./exact.ts";
import type { Terms } from "./terms.ts";

/** What a cycle's end does with what is left of it. */
export interface Closing {
  /** What the next cycle begins with, besides its base. */
  readonly carried: readonly Entry[];
  readonly expired: Exact;
  readonly forfeited: Exact;
  /** Overage that the next base pays. */
  readonly debt: Exact;
}

/**
 * Closes a cycle: unexpired leftovers stay; what is left of the base becomes a bucket that names its
 * cycle; then the carried are trimmed to the cap, oldest first. What people granted has a life of its own and is never
 * trimmed. A cap of 0 carries nothing and touches no other bucket. Changes nothing: a cycle in grace is
 * closed again whenever it changes, by the rules that it was first closed by.
 */
export function closeCycle(cycle: CycleState, rules: ClosingRules): Closing {
  const { carryover, schedule } = cycle.closed_by ?? rules;
  let expired: Exact = 0;
  let forfeited: Exact = 0;
  const carried: Bucket[] = [];
  for (const bucket of cycle.buckets) {
    if (bucket.left === 0) continue;
    if (bucket.id === baseId(cycle.index)) {
      const last = carryover?.expires_after ?? null;
      if (carryover === null || isNothing(carryover.cap) || last === 0) forfeited = addExact(forfeited, bucket.left);
      else
        carried.push({
          ...bucket,
          kind: "carried",
          last_cycle: last === null ? null : cycle.index + last,
          expires_at: last === null ? null : endAfter(cycle, schedule, last),
        });
    } else if (endsWith(bucket, cycle)) expired = addExact(expired, bucket.left);
    else carried.push(bucket);
  }
  const cap = capOf(cycle, carryover);
  const trimmable = carried.filter(({ kind }) => kind === "carried").toSorted((a, b) => a.origin - b.origin);
  let excess = cap === null ? 0 : subtract(sumLeft(trimmable), cap);
  const kept = new Map(carried.map((bucket) => [bucket.id, bucket.left]));
  for (const { id, left } of trimmable) {
    const trimmed = lesser(left, excess);
    if (trimmed <= 0) break;
    kept.set(id, subtract(left, trimmed));
    excess = subtract(excess, trimmed);
    forfeited = addExact(forfeited, trimmed);
  }
  const entries = carried.flatMap(({ left: _left, held: _held, lost: _lost, ...bucket }): Entry[] => {
    const units = kept.get(bucket.id) ?? 0;
    return units === 0 ? [] : [{ ...bucket, units }];
  });
  const unpaid = subtract(cycle.debt, cycle.repaid);
  const debt = carryover?.overage === "debit" ? addExact(unpaid, cycle.overage) : 0;
  return { carried: entries, expired, forfeited, debt };
}

/** The end of the cycle so many after this one, by the schedule that this one followed. */
function endAfter({ start }: CycleState, schedule: Schedule, cycles: number): number {
  return boundaryOf(schedule, cycleAt(schedule, start).index + cycles + 1);
}

function isNothing(cap: NonNullable<Terms["carryover"]>["cap"]): boolean {
  return cap !== null && ("units" in cap ? cap.units === 0 : cap.percent === 0);
}

/** The cap in units; `null`: there is none, or it is 0 and only the base was asked. */
function capOf({ base }: CycleState, carryover: Terms["carryover"]): Exact | null {
  const cap = carryover?.cap ?? null;
  if (cap === null || isNothing(cap)) return null;
  if ("units" in cap) return cap.units;
  const exact = (BigInt(base ?? 0) * BigInt(cap.percent)) / 100n;
  return addExact(exact, 0);
}

function endsWith({ last_cycle, expires_at }: Bucket, cycle: CycleState): boolean {
  if (last_cycle !== null) return last_cycle <= cycle.index;
  return expires_at !== null && expires_at <= cycle.end;
}
