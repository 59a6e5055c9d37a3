import type { MeterAddress } from "@tidemark/contract";
import { MAIN_TABLES } from "./book-tables.ts";
import { Books } from "./books.ts";
import { type Head, type Loaded, newHead, saveHead } from "./head.ts";
import { IdMemory } from "./id-memory.ts";
import type { CountDecided } from "./quota/desk.ts";
import { NO_QUOTAS, Quotas } from "./quota/quotas.ts";
import { Recounts } from "./recounts.ts";

/** Text of the days in the row above which the alarm moves days that were sent to rows of their own. */
const HEAD_TEXT_MAX = 16_384;
/** The same above which a call does it, sent or not: a row holds 2 MB at most. */
const HEAD_TEXT_LIMIT = 1_000_000;

/** Everything that a meter keeps in its one row, and how it is kept small. */
export class MeterRow {
  readonly head: Head;
  readonly books: Books;
  readonly recounts: Recounts;
  readonly quotas: Quotas;
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage, { head, tail, recount, recountTail, quotas }: Loaded, count: CountDecided) {
    this.#sql = sql;
    this.head = head;
    this.books = new Books(sql, MAIN_TABLES, { ids: new IdMemory(sql, head.ids, tail), days: head.days });
    this.recounts = new Recounts(sql, { head, books: this.books }, recount, recountTail);
    this.quotas = new Quotas(sql, head.address, quotas, count);
  }

  /** A new one, which is not saved yet. */
  static create(sql: SqlStorage, address: MeterAddress, now: number, count: CountDecided): MeterRow {
    const tail = new Uint32Array();
    const head = newHead(address, now);
    return new MeterRow(sql, { head, tail, recount: undefined, recountTail: tail, quotas: NO_QUOTAS }, count);
  }

  /** Whether ids want compaction. */
  get needsCompaction(): boolean {
    return this.books.ids.needsCompaction || this.quotas.needsCompaction;
  }

  /** One full tail becomes a row of its own, if that row may be written: the longest one first. */
  settle(maySpill: boolean): void {
    const recounted = this.recounts.ids;
    const [first, second] =
      recounted !== undefined && recounted.tail.length > this.books.ids.tail.length
        ? [recounted, this.books.ids]
        : [this.books.ids, recounted];
    let spilled = first.settle(maySpill);
    spilled = second?.settle(maySpill && !spilled) === true || spilled;
    this.quotas.settle(maySpill && !spilled);
  }

  /** Lays the oldest days of a row that is about to be too large to rest. */
  lighten(): void {
    this.#layToRest(HEAD_TEXT_LIMIT, true);
  }

  /** Lays days of a head with more than `textMax` of them to rest. @returns whether any. */
  #layToRest(textMax: number, evenUnsent: boolean): boolean {
    const { flush } = this.head;
    const rested = this.books.layToRest(textMax, (day) => evenUnsent || day.version <= flush.sent_version);
    flush.rests_unsent ||= rested.some((day) => day.version > flush.sent_version);
    return rested.length > 0;
  }

  /**
   * Housekeeping: days that were sent leave a large row, a full tail becomes a slot, ids are compacted and old
   * ones forgotten. Writes nothing when nothing is due.
   *
   * @returns whether there is more to do.
   */
  tidy(oldestDay: number, now: number): boolean {
    const { ids } = this.books;
    const spills = ids.isTailFull;
    if (spills) ids.spill();
    const forgets = ids.forgetBefore(oldestDay);
    const compacts = ids.needsCompaction;
    if (compacts) ids.compact();
    const recounted = this.recounts.ids;
    if (recounted?.needsCompaction === true) recounted.compact();
    const tidies = this.quotas.tidy(oldestDay);
    const rests = this.#layToRest(HEAD_TEXT_MAX, false);
    if (spills || forgets || compacts || tidies || rests) this.save(now);
    return this.needsCompaction;
  }

  /** Writes the row: one, and others only for what leaves it for good. */
  save(now: number): void {
    this.head.ids = this.books.ids.state;
    const { quotas } = this;
    quotas.saveFinal(now);
    const { log } = quotas;
    saveHead(this.#sql, {
      head: this.head,
      tail: this.books.ids.tail,
      recount: this.recounts.toState(),
      recountTail: this.recounts.ids?.tail ?? new Uint32Array(),
      quotas: {
        text: quotas.isEmpty ? null : quotas.toText(),
        decisions: log.tail,
        decisionIds: log.idTail,
        members: quotas.memberTail,
      },
    });
  }
}
