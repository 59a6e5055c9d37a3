import { bucketOf, type CycleState, type Entry, leftOf } from "./balance-cycle.ts";
import { type Bucket, greater, inBurnOrder, lesser, OVERAGE, type Part, subtract, sumParts } from "./bucket.ts";
import { addExact, type Exact } from "./exact.ts";
import { type Hold, mergeParts, takeParts } from "./hold.ts";

/** Takes units out of what is left, in burn order; what nobody has is overage. */
function take(cycle: CycleState, units: Exact, buckets: readonly Bucket[] = cycle.buckets): Part[] {
  const parts: Part[] = [];
  let missing = units;
  for (const bucket of buckets) {
    if (missing <= 0) break;
    const taken = lesser(bucket.left, missing);
    if (taken <= 0) continue;
    bucket.left = subtract(bucket.left, taken);
    missing = subtract(missing, taken);
    parts.push([bucket.id, taken]);
  }
  if (missing > 0) parts.push([OVERAGE, missing]);
  return parts;
}

/** Notes that units were used that had been taken. */
function burn(cycle: CycleState, parts: readonly Part[]): void {
  for (const [id, units] of parts) {
    if (id === OVERAGE) {
      cycle.overage = addExact(cycle.overage, units);
      continue;
    }
    cycle.burned = addExact(cycle.burned, units);
    const newest = cycle.burns.at(-1);
    if (newest?.[0] === id) newest[1] = addExact(newest[1], units);
    else cycle.burns.push([id, units]);
  }
}

/** Uses units: what was returned too much first, then buckets, then overage. @returns who paid. */
export function use(cycle: CycleState, units: Exact): Part[] {
  cycle.used = addExact(cycle.used, units);
  cycle.is_used = true;
  const fromCredit = lesser(cycle.credit, units);
  cycle.credit = subtract(cycle.credit, fromCredit);
  const parts = take(cycle, subtract(units, fromCredit));
  burn(cycle, parts);
  return parts;
}

/**
 * Gives back units that were used: to the buckets that paid, if they are named, else newest burn first;
 * overage is newer than what any bucket paid. What was never used becomes credit.
 */
export function giveBack(cycle: CycleState, units: Exact, paid: readonly Part[] = []): void {
  cycle.used = subtract(cycle.used, units);
  cycle.is_used = true;
  let open = units;
  for (const [id, part] of paid.toReversed()) open = subtract(open, unburn(cycle, id, lesser(part, open)));
  cycle.credit = addExact(cycle.credit, open);
  settleCredit(cycle);
}

/** Credit and what was used cancel out, so that there is never both. */
function settleCredit(cycle: CycleState): void {
  let open = subtract(cycle.credit, unburn(cycle, OVERAGE, cycle.credit));
  for (let newest = cycle.burns.at(-1); newest !== undefined && open > 0; newest = cycle.burns.at(-1))
    open = subtract(open, unburn(cycle, newest[0], lesser(newest[1], open)));
  cycle.credit = open;
}

/** Takes back up to `units` of what a bucket paid, newest first. @returns how many. */
function unburn(cycle: CycleState, id: string, units: Exact): Exact {
  if (id === OVERAGE) {
    const overage = lesser(cycle.overage, units);
    cycle.overage = subtract(cycle.overage, overage);
    return overage;
  }
  const taken = removeBurns(cycle, id, units);
  putBack(cycle, [[id, taken]]);
  return taken;
}

function removeBurns(cycle: CycleState, id: string, units: Exact): Exact {
  let open = units;
  for (let i = cycle.burns.length - 1; i >= 0 && open > 0; i--) {
    const entry = cycle.burns[i];
    if (entry?.[0] !== id) continue;
    const taken = lesser(entry[1], open);
    entry[1] = subtract(entry[1], taken);
    open = subtract(open, taken);
  }
  cycle.burns = mergeNeighbours(cycle.burns.filter(([, left]) => left > 0));
  const removed = subtract(units, open);
  cycle.burned = subtract(cycle.burned, removed);
  return removed;
}

/** Burns of one bucket that have come to stand beside each other are one. */
function mergeNeighbours(burns: readonly Part[]): Part[] {
  const merged: Part[] = [];
  for (const [id, units] of burns) {
    const last = merged.at(-1);
    if (last?.[0] === id) last[1] = addExact(last[1], units);
    else merged.push([id, units]);
  }
  return merged;
}

/** Sets units aside, in burn order; what no bucket has is looked for again when it is used. */
export function hold(cycle: CycleState, units: Exact): Part[] {
  const parts = take(cycle, units);
  changeHeld(cycle, parts, 1);
  return parts;
}

/**
 * Burns in burn order again what was used of the buckets that the cycle began with, after those have changed: else
 * carried units that came back would expire though the base was used.
 */
export function burnAgain(cycle: CycleState): void {
  const first = cycle.buckets.filter(({ kind, origin }) => kind === "base" || origin < cycle.index);
  let units: Exact = 0;
  for (const bucket of first) {
    const used = removeBurns(cycle, bucket.id, bucket.units);
    bucket.left = addExact(bucket.left, used);
    units = addExact(units, used);
  }
  const later = cycle.burns;
  cycle.burns = [];
  burn(cycle, take(cycle, units, first));
  cycle.burns.push(...later);
  for (const bucket of first) bucket.left = subtract(bucket.left, forfeitExcess(cycle, bucket, bucket.left));
}

/** Lets units go that were held: back to where they were taken. */
export function release(cycle: CycleState, parts: readonly Part[]): void {
  changeHeld(cycle, parts, -1);
  putBack(cycle, parts);
}

/** Uses units that were held. @returns who paid: what no bucket had may be there by now. */
export function commit(cycle: CycleState, parts: readonly Part[]): Part[] {
  changeHeld(cycle, parts, -1);
  const paid = parts.flatMap(([id, units]): Part[] => (id === OVERAGE ? take(cycle, units) : [[id, units]]));
  burn(cycle, paid);
  cycle.used = addExact(cycle.used, sumParts(parts));
  cycle.is_used = true;
  settleCredit(cycle);
  return paid;
}

function changeHeld(cycle: CycleState, parts: readonly Part[], sign: 1 | -1): void {
  for (const [id, units] of parts) {
    const bucket = bucketOf(cycle, id);
    if (bucket !== undefined) bucket.held = addExact(bucket.held, sign === 1 ? units : -units);
  }
}

/** Takes units away for good, in burn order. */
export function deduct(cycle: CycleState, units: Exact): void {
  cycle.deductions = mergeParts([...cycle.deductions, ...take(cycle, units)]);
  cycle.forfeited = addExact(cycle.forfeited, units);
}

/** Puts units back where they were taken, and so that overage is paid in burn order; what nobody had vanishes. */
function putBack(cycle: CycleState, parts: readonly Part[]): void {
  for (const bucket of cycle.buckets) {
    for (const [id, units] of parts) if (id === bucket.id) settle(cycle, bucket, units);
  }
}

/** Adds units to what a bucket has left; overage is paid first. */
function settle(cycle: CycleState, bucket: Bucket, units: Exact): void {
  const there = subtract(units, forfeitExcess(cycle, bucket, units));
  const paid = lesser(cycle.overage, there);
  bucket.left = addExact(bucket.left, subtract(there, paid));
  if (paid <= 0) return;
  cycle.overage = subtract(cycle.overage, paid);
  burn(cycle, [[bucket.id, paid]]);
}

/** A bucket enters the cycle, or grows; overage is paid first. Whether its units are newly granted is the caller's to note. */
export function enter(cycle: CycleState, bucket: Entry): void {
  let known = bucketOf(cycle, bucket.id);
  if (known === undefined) {
    known = { ...bucket, units: 0, left: 0, held: 0, lost: 0 };
    cycle.buckets.push(known);
    cycle.buckets.sort(inBurnOrder);
  }
  known.units = addExact(known.units, bucket.units);
  settle(cycle, known, bucket.units);
}

/**
 * Units of a bucket turn out not to have been there: first those that nobody used. What was used of them falls
 * to the other buckets, or becomes overage; then what is held in `holds`, and what was deducted.
 */
export function withdraw(cycle: CycleState, id: string, units: Exact, holds: readonly Hold[]): void {
  const bucket = bucketOf(cycle, id);
  if (bucket === undefined) return;
  bucket.units = subtract(bucket.units, units);
  const fromLeft = lesser(bucket.left, units);
  bucket.left = subtract(bucket.left, fromLeft);
  let missing = subtract(units, fromLeft);
  if (bucket.kind !== "base") {
    const unexpired = lesser(bucket.lost, missing);
    bucket.lost = subtract(bucket.lost, unexpired);
    cycle.expired = subtract(cycle.expired, unexpired);
    missing = subtract(missing, unexpired);
  }
  const used = removeBurns(cycle, id, missing);
  burn(cycle, take(cycle, used));
  missing = subtract(missing, used);
  for (const held of holds) {
    const { taken, rest } = takeParts(held.parts, id, missing);
    if (taken === 0) continue;
    bucket.held = subtract(bucket.held, taken);
    missing = subtract(missing, taken);
    held.parts = mergeParts([...rest, ...hold(cycle, taken)]);
  }
  const { taken, rest } = takeParts(cycle.deductions, id, missing);
  cycle.deductions = rest;
  cycle.forfeited = subtract(cycle.forfeited, taken);
  deduct(cycle, lesser(taken, leftOf(cycle)));
}

/**
 * After a base was lowered below what was used or is held of it, what comes back is not there to be used again.
 *
 * @returns how many of `units` are forfeited.
 */
export function forfeitExcess(cycle: CycleState, bucket: Bucket, units: Exact): Exact {
  if (bucket.kind !== "base" || cycle.base === null) return 0;
  const excess = subtract(bucket.units, subtract(cycle.base, cycle.repaid));
  const gone = greater(lesser(units, excess), 0);
  bucket.units = subtract(bucket.units, gone);
  bucket.lost = addExact(bucket.lost, gone);
  cycle.forfeited = addExact(cycle.forfeited, gone);
  return gone;
}

/** Ends buckets whose time has come. */
export function expireBuckets(cycle: CycleState, now: number): void {
  for (const bucket of cycle.buckets) {
    if (!isOver(bucket, now) || bucket.left === 0) continue;
    cycle.expired = addExact(cycle.expired, bucket.left);
    bucket.lost = addExact(bucket.lost, bucket.left);
    bucket.left = 0;
  }
}

function isOver({ last_cycle, expires_at }: Bucket, now: number): boolean {
  return last_cycle === null && expires_at !== null && expires_at <= now;
}
