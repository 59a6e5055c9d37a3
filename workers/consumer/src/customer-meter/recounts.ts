import type {
  ApplyReply,
  CompareReply,
  DayDifference,
  DayDigest,
  EventColumns,
  RecountReply,
  RecountRequest,
  RecountScope,
} from "@tidemark/contract";
import { ABSENT, dayOf, FINGERPRINT_WORDS } from "@tidemark/core";
import { digestOf } from "../digest-of.ts";
import type { Books } from "./books.ts";
import type { Head, RecountState } from "./head.ts";
import type { IdMemory } from "./id-memory.ts";
import { type DayPair, describePairs, Recount } from "./recount.ts";

/** Differences of a comparison that are listed. */
const DIFFERENCES_MAX = 20;

/** What the meter counts in, which a job may replace. */
interface Counting {
  readonly head: Head;
  readonly books: Books;
}

/** The recounts of a meter: at most one is open, a later job takes the place of an earlier one. */
export class Recounts {
  readonly #sql: SqlStorage;
  readonly #head: Head;
  readonly #books: Books;
  #open: Recount | undefined;

  constructor(sql: SqlStorage, { head, books }: Counting, state: RecountState | undefined, tail: Uint32Array) {
    this.#sql = sql;
    this.#head = head;
    this.#books = books;
    this.#open = state === undefined ? undefined : new Recount(sql, state, tail);
  }

  /** The ids of the open one. */
  get ids(): IdMemory | undefined {
    return this.#open?.books.ids;
  }

  /** What is saved in the meter's row. */
  toState(): RecountState | undefined {
    return this.#open?.toState();
  }

  /** Enters what the meter has just counted. */
  follow(columns: EventColumns, isFresh: Uint8Array): void {
    this.#open?.follow(columns, isFresh);
  }

  /**
   * Enters events of the archive into a job's books, which the first call opens.
   *
   * @throws Error for a job that a later one has replaced.
   */
  enter(request: RecountRequest): RecountReply {
    const { scope } = request;
    const head = this.#head;
    if (scope.catalog_version < head.required_catalog) throw new Error("A later job has begun.");
    if (head.closed_job === scope.job_id) return { books: "closed", uncounted: 0 };
    const isOpen = this.#open?.scope.job_id === scope.job_id;
    const isNeedless = !isOpen && scope.may_skip && head.created_catalog >= scope.catalog_version;
    head.required_catalog = scope.catalog_version;
    if (isNeedless) return { books: "needless", uncounted: 0 };
    if (!isOpen || this.#open === undefined) this.#open = Recount.open(this.#sql, scope);
    const uncounted = this.#open.add(request, this.#books.ids);
    return { books: isOpen ? "open" : "opened", uncounted };
  }

  /** Holds a job's books against the meter's. */
  compare(jobId: string): CompareReply {
    const recount = this.#open;
    if (recount?.scope.job_id !== jobId)
      return { is_open: false, days: 0, differences: [], difference_count: 0, digests: [] };
    let days = 0;
    let difference_count = 0;
    const listed: DayDifference[] = [];
    const digests: DayDigest[] = [];
    for (const { counted, pairs, ...part } of recount.compare(this.#books)) {
      days += part.days;
      difference_count += pairs.length;
      listed.push(...describePairs(pairs.slice(0, DIFFERENCES_MAX - listed.length)));
      digests.push(...counted.map(digestOf));
    }
    return { is_open: true, days, differences: listed, difference_count, digests };
  }

  /**
   * Closes a job's books. With `replace` their days take the place of the meter's where the two differ,
   * ids that the meter had lost are remembered again, and what the job covers is sent to D1 anew.
   *
   * @param nextVersion of the days that change.
   * @param onReplaced is told of each day that was, and keeps the row small meanwhile.
   * @returns whether the job's books were open.
   */
  close(
    jobId: string,
    replace: boolean,
    nextVersion: number,
    onReplaced: (pairs: readonly DayPair[], scope: RecountScope) => void,
  ): boolean {
    const recount = this.#open;
    if (recount?.scope.job_id !== jobId) return false;
    if (replace) this.#replaceDays(recount, nextVersion, onReplaced);
    recount.close();
    this.#open = undefined;
    this.#head.closed_job = jobId;
    return true;
  }

  #replaceDays(
    recount: Recount,
    version: number,
    onReplaced: (pairs: readonly DayPair[], scope: RecountScope) => void,
  ): void {
    const head = this.#head;
    for (const { pairs } of recount.compare(this.#books)) {
      for (const { recounted } of pairs) this.#books.replace({ ...recounted, version });
      if (pairs.length > 0) head.version = version;
      onReplaced(pairs, recount.scope);
    }
    if (recount.scope.trusts_archive) {
      if (recount.uncounted > 0) this.#adoptIds(recount.books.ids);
      head.flush.sent_version = 0;
    }
    head.flush.rests_unsent = true;
  }

  /** Remembers the ids that the meter had lost. */
  #adoptIds(ids: IdMemory): void {
    const today = dayOf(this.#head.version);
    const counted = this.#books.ids;
    for (const records of ids.all()) {
      for (let i = 0; i < records.length; i += FINGERPRINT_WORDS) {
        const [low = 0, high = 0, content = 0] = records.subarray(i, i + FINGERPRINT_WORDS);
        if (counted.find(low, high) === ABSENT) counted.add(low, high, content, today);
      }
      counted.settle(true);
    }
  }
}

/** A day that waits to be flushed, and when to set the alarm for it, each `null` for none. */
export interface ClosedBooks {
  readonly watch: ApplyReply["watch"];
  readonly alarmAt: number | null;
}
