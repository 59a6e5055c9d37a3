import { ABSENT, dayOf, type Exact, hashId } from "@tidemark/core";
import { MEMBER_TABLES } from "../book-tables.ts";
import { IdMemory, type IdState } from "../id-memory.ts";
import type { LiveBalance } from "./live-balance.ts";

/** Distinct values in the head's row. */
const MEMBER_TAIL_MAX = 256;
/** Where usage goes on for ever, so does the memory of what was counted. */
const FOR_EVER = 10_000_000;
/** Distinct values are remembered by the day that their cycle began, and longer than the longest cycle and its grace. */
const MEMBER_DAYS = 5 * 366;

/** The distinct values that have been counted in the cycles of limits and charges: exactly, each by its hash. */
export class Members {
  readonly ids: IdMemory;

  constructor(sql: SqlStorage, state: IdState, tail: Uint32Array) {
    this.ids = new IdMemory(sql, state, tail, MEMBER_TABLES, MEMBER_TAIL_MAX);
  }

  /** Whether a value is new in the cycle that begins at an instant. */
  isNew(live: LiveBalance, cycleStart: number, value: Exact): boolean {
    const [low, high] = memberOf(live, cycleStart, value);
    return this.ids.find(low, high) === ABSENT;
  }

  /** Remembers a value. @returns whether it was new. */
  add(live: LiveBalance, cycleStart: number, value: Exact): boolean {
    const [low, high] = memberOf(live, cycleStart, value);
    if (this.ids.find(low, high) !== ABSENT) return false;
    const until = live.definition.terms.accumulates ? FOR_EVER : dayOf(cycleStart) + MEMBER_DAYS;
    this.ids.add(low, high, 1, until);
    return true;
  }
}

/** The hash of a distinct value in a cycle; where usage goes on for ever, every cycle is one. */
function memberOf(
  { key, label, definition }: LiveBalance,
  cycleStart: number,
  value: Exact,
): readonly [number, number] {
  const words: number[] = [0, 0];
  const cycle = definition.terms.accumulates ? 0 : cycleStart;
  hashId(JSON.stringify([key, label, cycle, value.toString()]), words, 0);
  return [words[0] ?? 0, words[1] ?? 0];
}
