import { ABSENT, FANOUT, FINGERPRINT_WORDS, FingerprintSet, partBits, sortRecords } from "@tidemark/core";
import { toBlob } from "./blob.ts";
import { type IdTables, MAIN_TABLES } from "./book-tables.ts";
import { IdRuns, type Run, type Stretch } from "./id-runs.ts";

/** What the head keeps of the memory; the records themselves are in the tail, the slots and the parts. */
export interface IdState {
  readonly tail_until: number;
  readonly slots: readonly Stretch[];
  readonly runs: readonly Run[];
  readonly next_run: number;
  /** Runs being merged into `target`, and the next part to do. */
  readonly merge: { readonly level: number; readonly target: number; readonly next_part: number } | null;
  /** Events of this day or before may have been forgotten: nobody can tell whether they were counted. */
  readonly forgotten_until: number;
}

const NEVER = -1_000_000;
export const EMPTY_ID_STATE: IdState = {
  tail_until: NEVER,
  slots: [],
  runs: [],
  next_run: 1,
  merge: null,
  forgotten_until: NEVER,
};

/** Records in the tail, which every call writes again, before they move to a slot. */
const TAIL_RECORDS_MAX = 1_024;
/** Times as many as a tail has at most, whatever else a call writes: every call writes it again. */
const TAILS_MAX = 4;
/** Records in slots, which are held in memory, before they become a run. */
const SLOT_RECORDS_MAX = 32_768;
/** The same when the alarm that should have done it is late: the call does it itself. */
const SLOT_RECORDS_LIMIT = 8 * SLOT_RECORDS_MAX;
/** Parts merged in one alarm: some 50 ms of work. */
const MERGE_PARTS = 16;

/**
 * The ids that a customer's meter has counted.
 *
 * New ones stand in the head's tail; full tails move to slots; full slots become a sorted run, and four
 * runs of a level merge into one of the next. A call writes the head and at most one slot. The newest
 * 32,768 are in memory, the rest on disk behind filters, which take 50 MB for 20 million ids.
 */
export class IdMemory {
  readonly #sql: SqlStorage;
  readonly #slotTable: string;
  readonly #tailWordsMax: number;
  readonly #runs: IdRuns;
  #state: IdState;
  #tail: Uint32Array;
  /** Everything in the tail and the slots; read from disk when first needed. */
  #recent: FingerprintSet | undefined;
  #added: number[] = [];

  constructor(
    sql: SqlStorage,
    state: IdState,
    tail: Uint32Array,
    tables: IdTables = MAIN_TABLES,
    tailRecordsMax = TAIL_RECORDS_MAX,
  ) {
    this.#sql = sql;
    this.#tailWordsMax = tailRecordsMax * FINGERPRINT_WORDS;
    this.#slotTable = tables.slots;
    this.#runs = new IdRuns(sql, tables);
    this.#state = state;
    this.#tail = tail;
  }

  get state(): IdState {
    return this.#state;
  }

  get tail(): Uint32Array {
    return this.#tail;
  }

  /** Whether no id was ever remembered. */
  get isEmpty(): boolean {
    const { slots, runs, next_run, forgotten_until } = this.#state;
    const isTailEmpty = this.#tail.length === 0 && this.#added.length === 0;
    const hasNone = isTailEmpty && slots.length === 0 && runs.length === 0;
    return hasNone && next_run === EMPTY_ID_STATE.next_run && forgotten_until === NEVER;
  }

  /** Whether an event of this UTC day is older than the memory. */
  isForgotten(day: number): boolean {
    return day <= this.#state.forgotten_until;
  }

  /** The content hash of an id that was counted, or `ABSENT`. */
  find(low: number, high: number): number {
    this.#recent ??= this.#loadRecent();
    const recent = this.#recent.find(low, high);
    return recent === ABSENT ? this.#runs.find(this.#state.runs, low, high) : recent;
  }

  /** Remembers an id that `find` did not know, of an event of this UTC day. */
  add(low: number, high: number, content: number, day: number): void {
    this.#recent?.add(low, high, content);
    this.#added.push(low, high, content);
    if (day > this.#state.tail_until) this.#state = { ...this.#state, tail_until: day };
  }

  /**
   * Moves what was added to the tail, and a full tail to a slot, which is one row.
   *
   * @param maySpill false in a call that writes its second row for something else.
   * @returns whether a tail moved.
   */
  settle(maySpill: boolean): boolean {
    if (this.#added.length > 0) {
      const tail = new Uint32Array(this.#tail.length + this.#added.length);
      tail.set(this.#tail);
      tail.set(this.#added, this.#tail.length);
      this.#tail = tail;
      this.#added = [];
    }
    const spills = this.isTailFull && (maySpill || this.#tail.length >= this.#tailWordsMax * TAILS_MAX);
    if (spills) this.spill();
    if (countOf(this.#state.slots) >= SLOT_RECORDS_LIMIT) this.#slotsToRun();
    return spills;
  }

  /** Whether the tail is due to move to a slot. */
  get isTailFull(): boolean {
    return this.#tail.length >= this.#tailWordsMax;
  }

  /** Moves the tail to a slot: one row. */
  spill(): void {
    const taken = new Set(this.#state.slots.map((slot) => slot.id));
    let id = 0;
    while (taken.has(id)) id++;
    this.#sql.exec(
      `INSERT INTO ${this.#slotTable} (slot, records) VALUES (?, ?) ON CONFLICT DO UPDATE SET records = excluded.records`,
      id,
      toBlob(this.#tail),
    );
    const slot: Stretch = { id, count: this.#tail.length / FINGERPRINT_WORDS, until: this.#state.tail_until };
    this.#state = { ...this.#state, slots: [...this.#state.slots, slot], tail_until: NEVER };
    this.#tail = new Uint32Array();
  }

  /** Whether the alarm should compact. */
  get needsCompaction(): boolean {
    return (
      this.#state.merge !== null || countOf(this.#state.slots) >= SLOT_RECORDS_MAX || this.#fullLevel() !== undefined
    );
  }

  /** Does a slice of what is due. The caller saves the head in the same transaction. */
  compact(): void {
    if (this.#state.merge !== null) return this.#mergeSlice(this.#state.merge);
    if (countOf(this.#state.slots) >= SLOT_RECORDS_MAX) return this.#slotsToRun();
    const level = this.#fullLevel();
    if (level === undefined) return;
    const target = this.#state.next_run;
    this.#state = { ...this.#state, next_run: target + 1, merge: { level, target, next_part: 0 } };
    this.#mergeSlice({ level, target, next_part: 0 });
  }

  /** Forgets what is older than `oldestDay`. @returns whether anything was. */
  forgetBefore(oldestDay: number): boolean {
    // A run that is being merged is let go when it has become part of the next.
    const isOld = (stretch: Stretch): boolean => stretch.until < oldestDay && this.#state.merge === null;
    const oldRuns = this.#state.runs.filter(isOld);
    const oldSlots = this.#state.slots.filter(isOld);
    if (oldRuns.length + oldSlots.length === 0) return false;
    for (const run of oldRuns) this.#runs.delete(run.id);
    this.#state = {
      ...this.#state,
      runs: this.#state.runs.filter((run) => !oldRuns.includes(run)),
      slots: this.#state.slots.filter((slot) => !oldSlots.includes(slot)),
      forgotten_until: Math.max(
        this.#state.forgotten_until,
        ...[...oldRuns, ...oldSlots].map((stretch) => stretch.until),
      ),
    };
    if (oldSlots.length > 0) this.#recent = undefined;
    return true;
  }

  /** Every id that is remembered, a stretch of records at a time. */
  *all(): Generator<Uint32Array> {
    yield this.#tail;
    yield Uint32Array.from(this.#added);
    for (const { id } of this.#state.slots) yield this.#readSlot(id);
    for (const { id, level } of this.#state.runs) {
      for (let part = 0; part < 2 ** partBits(level); part++) yield this.#runs.readPart(id, part) ?? new Uint32Array();
    }
  }

  #loadRecent(): FingerprintSet {
    const recent = new FingerprintSet();
    for (const { id } of this.#state.slots) recent.addAll(this.#readSlot(id));
    recent.addAll(this.#tail);
    recent.addAll(Uint32Array.from(this.#added));
    return recent;
  }

  #readSlot(id: number): Uint32Array {
    const { records } = this.#sql
      .exec<{ records: ArrayBuffer }>(`SELECT records FROM ${this.#slotTable} WHERE slot = ?`, id)
      .one();
    return new Uint32Array(records);
  }

  #slotsToRun(): void {
    const { slots, next_run: id } = this.#state;
    const records = sortRecords(concatenate(slots.map((slot) => this.#readSlot(slot.id))), 0);
    this.#runs.writeParts(id, records, 1);
    const run: Run = { id, level: 1, count: countOf(slots), until: Math.max(...slots.map((slot) => slot.until)) };
    this.#state = { ...this.#state, slots: [], runs: [run, ...this.#state.runs], next_run: id + 1 };
    this.#recent = undefined;
  }

  /** The lowest level with enough runs to merge. */
  #fullLevel(): number | undefined {
    const counts = new Map<number, number>();
    for (const { level } of this.#state.runs) counts.set(level, (counts.get(level) ?? 0) + 1);
    return [...counts]
      .filter(([, count]) => count >= FANOUT)
      .map(([level]) => level)
      .toSorted((a, b) => a - b)[0];
  }

  /** The oldest runs of a level, as many as are merged at a time. */
  #mergeSources(level: number): readonly Run[] {
    return this.#state.runs.filter((run) => run.level === level).slice(-FANOUT);
  }

  #mergeSlice({ level, target, next_part: from }: NonNullable<IdState["merge"]>): void {
    const sources = this.#mergeSources(level);
    const parts = 2 ** partBits(level);
    const to = Math.min(from + MERGE_PARTS, parts);
    for (let part = from; part < to; part++) {
      const records = concatenate(sources.map((run) => this.#runs.readPart(run.id, part) ?? new Uint32Array()));
      this.#runs.writeParts(target, sortRecords(records, partBits(level)), level + 1);
    }
    if (to < parts) {
      this.#state = { ...this.#state, merge: { level, target, next_part: to } };
      return;
    }
    for (const { id } of sources) this.#runs.delete(id);
    const merged: Run = {
      id: target,
      level: level + 1,
      count: countOf(sources),
      until: Math.max(...sources.map((run) => run.until)),
    };
    const others = this.#state.runs.filter((run) => !sources.includes(run));
    const at = others.findIndex((run) => run.level > level);
    this.#state = { ...this.#state, merge: null, runs: at < 0 ? [...others, merged] : others.toSpliced(at, 0, merged) };
  }
}

function countOf(stretches: readonly Stretch[]): number {
  return stretches.reduce((sum, stretch) => sum + stretch.count, 0);
}

function concatenate(lists: readonly Uint32Array[]): Uint32Array {
  const all = new Uint32Array(lists.reduce((sum, list) => sum + list.length, 0));
  let at = 0;
  for (const list of lists) {
    all.set(list, at);
    at += list.length;
  }
  return all;
}
