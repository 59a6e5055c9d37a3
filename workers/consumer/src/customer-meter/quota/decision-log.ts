import { ABSENT, dayOf, hashId } from "@tidemark/core";
import { DECISION_TABLES } from "../book-tables.ts";
import { EMPTY_ID_STATE, IdMemory, type IdState } from "../id-memory.ts";
import { type DecisionRecord, type PackedRecord, recordFromText, recordToText, toRecord } from "./decision-record.ts";

/** Decisions in the head's row, which every call writes again, before they become a row of their own. */
const TAIL_MAX = 48;
/** The same in calls that may write one row only: denials. */
const TAIL_LIMIT = 512;
/** Characters of these: a denial of many metrics is long. */
const TAIL_TEXT_MAX = 64_000;
const TAIL_TEXT_LIMIT = 256_000;
/** Ids in the head's row. */
const ID_TAIL_MAX = 256;

/** What the head keeps of the log, besides the latest decisions and their ids. */
export interface LogState {
  /** The number of the stretch that the latest decisions will become. */
  chunk: number;
  ids: IdState;
}

export const EMPTY_LOG: LogState = { chunk: 1, ids: EMPTY_ID_STATE };

/**
 * Every decision of the last weeks, so that a repeated request gets the first answer, an event completes what
 * was decided under its id, and people can see why. The latest stand in the head's row; 48 become a row, and
 * their ids lead to it.
 */
export class DecisionLog {
  readonly #sql: SqlStorage;
  readonly #ids: IdMemory;
  #chunk: number;
  #tail: string[];
  #tailLength: number;
  /** When the latest of the tail was made; of a tail that was loaded that is only known when it is read. */
  #tailUntil: number | undefined;
  /** The decisions of the tail, read when first needed. */
  #open: DecisionRecord[] | undefined;
  /** The rows that were read last. */
  readonly #read = new Map<number, readonly DecisionRecord[]>();

  constructor(sql: SqlStorage, state: LogState, tail: readonly string[], idTail: Uint32Array) {
    this.#sql = sql;
    this.#chunk = state.chunk;
    this.#tail = [...tail];
    this.#tailLength = tail.reduce((length, text) => length + text.length, 0);
    this.#tailUntil = tail.length === 0 ? 0 : undefined;
    this.#ids = new IdMemory(sql, state.ids, idTail, DECISION_TABLES, ID_TAIL_MAX);
  }

  get state(): LogState {
    return { chunk: this.#chunk, ids: this.#ids.state };
  }

  get tail(): readonly string[] {
    return this.#tail;
  }

  get idTail(): Uint32Array {
    return this.#ids.tail;
  }

  /** Whether no decision with an id was ever remembered: most meters only count. */
  get isEmpty(): boolean {
    return this.#ids.isEmpty;
  }

  /** The decision with an id. */
  find(id: string): DecisionRecord | undefined {
    if (this.#ids.isEmpty) return undefined;
    const [low, high] = wordsOf(id);
    return this.findByHash(low, high, id);
  }

  /** The same, for an event: of its id only the hash came along. */
  findByHash(low: number, high: number, id?: string): DecisionRecord | undefined {
    const chunk = this.#ids.find(low, high);
    if (chunk === ABSENT) return undefined;
    return this.#records(chunk).find((record) => {
      if (record.id === null) return false;
      if (id !== undefined) return record.id === id;
      const [itsLow, itsHigh] = wordsOf(record.id);
      return itsLow === low && itsHigh === high;
    });
  }

  /** Remembers a decision. */
  add(record: DecisionRecord): void {
    const text = recordToText(record);
    this.#tail.push(text);
    this.#tailLength += text.length;
    if (this.#tailUntil !== undefined) this.#tailUntil = Math.max(this.#tailUntil, record.at);
    this.#open?.push(record);
    if (record.id === null) return;
    const [low, high] = wordsOf(record.id);
    this.#ids.add(low, high, this.#chunk, dayOf(record.at));
  }

  /**
   * Moves a full tail to a row of its own.
   *
   * @param maySpill false in a call that writes its second row for something else, or may write only one.
   * @returns whether a row was written.
   */
  settle(maySpill: boolean): boolean {
    const { length } = this.#tail;
    const isOver = length >= TAIL_LIMIT || this.#tailLength >= TAIL_TEXT_LIMIT;
    const isFull = isOver || (maySpill && (length >= TAIL_MAX || this.#tailLength >= TAIL_TEXT_MAX));
    if (isFull) this.#spill();
    // When so many denials have come together, their ids go along.
    return this.#ids.settle(isOver || (maySpill && !isFull)) || isFull;
  }

  /** The latest decisions until an instant, newest first. */
  *newest(until: number): Generator<DecisionRecord> {
    for (const text of this.#tail.toReversed()) {
      const record = recordFromText(text);
      if (record.at <= until) yield record;
    }
    for (let below = this.#chunk; ;) {
      const [row] = this.#sql
        .exec<{ chunk: number; body: string }>(
          "SELECT chunk, body FROM decisions WHERE chunk < ? ORDER BY chunk DESC LIMIT 1",
          below,
        )
        .toArray();
      if (row === undefined) return;
      below = row.chunk;
      for (const record of parse(row.body).toReversed()) if (record.at <= until) yield record;
    }
  }

  get needsCompaction(): boolean {
    return this.#ids.needsCompaction;
  }

  /** Does a slice of what is due. */
  compact(): void {
    this.#ids.compact();
  }

  /** Forgets what is older than `oldestDay`. @returns whether anything was. */
  forgetBefore(oldestDay: number): boolean {
    if (!this.#ids.forgetBefore(oldestDay)) return false;
    this.#sql.exec("DELETE FROM decisions WHERE until_at < ?", oldestDay * 86_400_000);
    return true;
  }

  #spill(): void {
    const until = this.#tailUntil ?? Math.max(...this.#records(this.#chunk).map(({ at }) => at));
    this.#sql.exec(
      "INSERT INTO decisions (chunk, until_at, body) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET until_at = excluded.until_at, body = excluded.body",
      this.#chunk,
      until,
      `[${this.#tail.join(",")}]`,
    );
    this.#chunk++;
    this.#tail = [];
    this.#tailLength = 0;
    this.#tailUntil = 0;
    this.#open = undefined;
  }

  /** The decisions of a stretch: the tail's, or those of a row. */
  #records(chunk: number): readonly DecisionRecord[] {
    if (chunk === this.#chunk) return (this.#open ??= this.#tail.map(recordFromText));
    const known = this.#read.get(chunk);
    if (known !== undefined) return known;
    const [row] = this.#sql.exec<{ body: string }>("SELECT body FROM decisions WHERE chunk = ?", chunk).toArray();
    const records = row === undefined ? [] : parse(row.body);
    if (this.#read.size >= CHUNKS_READ_MAX) this.#read.clear();
    this.#read.set(chunk, records);
    return records;
  }
}

/** Rows that are kept in memory: events come in the order of their decisions. */
const CHUNKS_READ_MAX = 8;

function parse(body: string): DecisionRecord[] {
  return (JSON.parse(body) as PackedRecord[]).map(toRecord);
}

function wordsOf(id: string): readonly [low: number, high: number] {
  const words: number[] = [0, 0];
  hashId(id, words, 0);
  return [words[0] ?? 0, words[1] ?? 0];
}
