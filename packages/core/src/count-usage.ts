import type { CycleState } from "./balance-cycle.ts";
import { greater, lesser, type Part } from "./bucket.ts";
import { giveBack, use } from "./cycle-units.ts";
import { addExact, type Exact } from "./exact.ts";
import type { Terms } from "./terms.ts";

/** Something that counts. */
export interface Usage {
  /** Units; for `unique` 1 for an id that is new in the cycle, else 0. */
  readonly value: Exact;
  /** When it happened, in milliseconds. */
  readonly instant: number;
  /** The segments that it is in, as bits. */
  readonly segments: number;
  /** Of a negative value: who paid what it returns. */
  readonly paid?: readonly Part[] | undefined;
}

/** Counts usage in a cycle, whether it fits or not. @returns who paid. */
export function countUsage(cycle: CycleState, terms: Terms, { value, instant, segments, paid }: Usage): Part[] {
  const before = cycle.used;
  switch (terms.aggregation) {
    case "count":
    case "sum":
    case "unique":
      addSegments(cycle, terms, segments, value);
      if (value >= 0) return use(cycle, value);
      giveBack(cycle, -value, paid);
      return [];
    case "max":
      cycle.used = cycle.is_used ? greater(before, value) : value;
      break;
    case "min":
      cycle.used = cycle.is_used ? lesser(before, value) : value;
      break;
    case "latest":
      if (cycle.said_at === null || instant >= cycle.said_at) {
        cycle.used = value;
        cycle.said_at = instant;
      }
      break;
  }
  cycle.is_used = true;
  return [];
}

/** Notes by its segments what was used, where a price asks for one. */
export function addSegments(cycle: CycleState, { by_segment }: Terms, segments: number, value: Exact): void {
  if (!by_segment) return;
  cycle.segments[segments] = addExact(cycle.segments[segments] ?? 0, value);
}
