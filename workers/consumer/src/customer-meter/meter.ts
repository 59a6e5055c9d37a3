import {
  type ApplyReply,
  type ApplyRequest,
  type CompareReply,
  type DayDifference,
  type DayDigest,
  type MeterAddress,
  RECENT_EVENTS_MAX,
  type ReadRequest,
  type RecentEvent,
  type RecountReply,
  type RecountRequest,
} from "@tidemark/contract";
import { ABSENT, dayOf, FINGERPRINT_WORDS, type MetricDay, type UsageDay } from "@tidemark/core";
import { MAIN_TABLES } from "./book-tables.ts";
import { Books } from "./books.ts";
import { type Head, type Loaded, loadHead, newHead, saveHead } from "./head.ts";
import { IdMemory } from "./id-memory.ts";
import { planFlush } from "./plan-flush.ts";
import { describePairs, Recount } from "./recount.ts";
import { remember } from "./remember.ts";
import { digestOf } from "../digest-of.ts";

/** A redelivery within this time of the meter's first call reports the customer as new again. */
const CREATED_MS = 10 * 60_000;
/** Text of the days in the head above which the alarm moves days that were sent to rows of their own. */
const HEAD_TEXT_MAX = 16_384;
/** The same above which a call does it, sent or not: a row holds 2 MB at most. */
const HEAD_TEXT_LIMIT = 1_000_000;

/** Differences of a comparison that are listed. */
const DIFFERENCES_MAX = 20;

interface Applied {
  readonly reply: ApplyReply;
  /** When to set the alarm, or `null` to leave it. */
  readonly alarmAt: number | null;
}

/** What has not been handed to the rollup queue, and up to where handing it over reaches. */
export interface Outbox {
  readonly days: readonly UsageDay[];
  readonly version: number;
  readonly resends: number;
}

interface ClosedBooks {
  readonly watch: ApplyReply["watch"];
  readonly alarmAt: number | null;
}

const STALE: ApplyReply = {
  stale: true,
  fresh: 0,
  duplicates: 0,
  conflicts: [],
  forgotten: [],
  created: false,
  watch: null,
};

/**
 * One customer's counting state, between the disk and the calls. Every method is synchronous: the caller
 * runs it in one transaction and forgets the instance when it throws.
 */
export class Meter {
  readonly #sql: SqlStorage;
  readonly #head: Head;
  readonly #books: Books;
  #recount: Recount | undefined;
  /** Whether this instance has set the alarm and not seen it run. */
  #alarmPending = false;
  /** Counts what was put back into the outbox: a flush that began before does not take it out again. */
  #resends = 0;

  private constructor(sql: SqlStorage, { head, tail, recount, recountTail }: Loaded) {
    this.#sql = sql;
    this.#head = head;
    this.#books = new Books(sql, MAIN_TABLES, { ids: new IdMemory(sql, head.ids, tail), days: head.days });
    this.#recount = recount === undefined ? undefined : new Recount(sql, recount, recountTail);
  }

  /** The meter as it was saved, or `undefined` when it has never been called. */
  static load(sql: SqlStorage): Meter | undefined {
    const loaded = loadHead(sql);
    return loaded === undefined ? undefined : new Meter(sql, loaded);
  }

  /** A customer's new meter. Nothing is saved before the first event. */
  static create(sql: SqlStorage, address: MeterAddress, now: number): Meter {
    const none = new Uint32Array();
    return new Meter(sql, { head: newHead(address, now), tail: none, recount: undefined, recountTail: none });
  }

  get address(): MeterAddress {
    return this.#head.address;
  }

  get #ids(): IdMemory {
    return this.#books.ids;
  }

  /**
   * Counts the events that are new, and remembers them. Writes one row, or two: a slot of fingerprints
   * or the alarm, never both.
   */
  apply(request: ApplyRequest, now: number, flushIntervalMs: number): Applied {
    const head = this.#head;
    if (request.catalog_version < head.required_catalog) return { alarmAt: null, reply: STALE };
    const isFirst = this.#ids.isEmpty;
    if (isFirst) head.created_catalog = request.catalog_version;
    const version = this.#nextVersion(now);
    const verdicts = remember(this.#ids, request);
    const touched = this.#books.count(request, verdicts.isFresh, version);
    if (touched !== undefined) head.version = version;
    this.#recount?.follow(request, verdicts.isFresh);
    this.#keepRecent(request, verdicts.isFresh);

    const flushAt = touched === undefined ? null : planFlush(head.flush, now, flushIntervalMs, this.#alarmPending);
    const alarmAt = flushAt ?? this.#planCompaction(now);
    if (alarmAt !== null) this.#alarmPending = true;
    this.#settle(alarmAt === null);
    if (touched !== undefined) this.#layToRest(HEAD_TEXT_LIMIT, true);
    if (verdicts.fresh > 0) this.#save();

    const isYoung = now - head.created_at < CREATED_MS;
    const repeats = verdicts.duplicates > 0;
    return {
      alarmAt,
      reply: {
        stale: false,
        fresh: verdicts.fresh,
        duplicates: verdicts.duplicates,
        conflicts: verdicts.conflicts,
        forgotten: verdicts.forgotten,
        created: isFirst || (isYoung && repeats),
        watch: flushAt !== null || repeats ? this.#watch(touched) : null,
      },
    };
  }

  /** The days of some metrics in a range, whether in the head or at rest. */
  read({ metric_ids, from_day, to_day }: ReadRequest): UsageDay[] {
    const wanted = new Set(metric_ids);
    return this.#books.read(from_day, to_day).filter((day) => wanted.has(day.metric_id));
  }

  /** The latest events, newest first. */
  recent(): RecentEvent[] {
    return this.#head.recent.toReversed().map((text) => JSON.parse(text) as RecentEvent);
  }

  /** What has not been handed to the rollup queue yet, and the version that handing it over reaches. */
  outbox(): Outbox {
    this.#alarmPending = false;
    const { flush, version } = this.#head;
    const days = this.#books.readAfter(flush.sent_version, flush.rests_unsent);
    return { days, version, resends: this.#resends };
  }

  /**
   * Notes that the outbox was handed over. Nothing is written for that: sending the same rows again
   * changes nothing in D1, so the note may be lost.
   */
  markSent({ version, resends }: Outbox, now: number): void {
    const { flush } = this.#head;
    if (resends !== this.#resends) return;
    flush.sent_version = Math.max(flush.sent_version, version);
    flush.last_at = now;
    if (version < this.#head.version) return;
    flush.rests_unsent = false;
    flush.due_at = null;
  }

  /**
   * Housekeeping: days that were sent leave a large head, a full tail becomes a slot, ids are compacted
   * and old ones forgotten. Writes nothing when nothing is due.
   *
   * @returns whether there is more to do.
   */
  tidy(oldestDay: number): boolean {
    const spills = this.#ids.isTailFull;
    if (spills) this.#ids.spill();
    const forgets = this.#ids.forgetBefore(oldestDay);
    const compacts = this.#ids.needsCompaction;
    if (compacts) this.#ids.compact();
    if (this.#recount?.books.ids.needsCompaction === true) this.#recount.books.ids.compact();
    const rests = this.#layToRest(HEAD_TEXT_MAX, false);
    if (spills || forgets || compacts || rests) this.#save();
    return this.#ids.needsCompaction;
  }

  /** When to set the alarm after a flush: at once if there is more to tidy, else for what changed meanwhile, else `null`. */
  nextAlarm(moreToTidy: boolean, now: number, flushIntervalMs: number): number | null {
    const { flush, version } = this.#head;
    if (moreToTidy) flush.due_at = now;
    else if (version <= flush.sent_version) return null;
    const at = moreToTidy ? now : planFlush(flush, now, flushIntervalMs, this.#alarmPending);
    if (at !== null) this.#alarmPending = true;
    return at;
  }

  /**
   * Enters events of the archive into a job's books, which the first call opens.
   *
   * @throws Error for a job that a later one has replaced.
   */
  recount(request: RecountRequest): RecountReply {
    const { scope } = request;
    const head = this.#head;
    if (scope.catalog_version < head.required_catalog) throw new Error("A later job has begun.");
    if (head.closed_job === scope.job_id) return { books: "closed", uncounted: 0 };
    const isOpen = this.#recount?.scope.job_id === scope.job_id;
    const isNeedless = !isOpen && scope.may_skip && head.created_catalog >= scope.catalog_version;
    head.required_catalog = scope.catalog_version;
    let uncounted = 0;
    if (!isNeedless) {
      this.#recount = isOpen && this.#recount !== undefined ? this.#recount : Recount.open(this.#sql, scope);
      uncounted = this.#recount.add(request, this.#ids);
    }
    this.#save();
    if (isNeedless) return { books: "needless", uncounted };
    return { books: isOpen ? "open" : "opened", uncounted };
  }

  /** Holds a job's books against the meter's. */
  compare(jobId: string): CompareReply {
    const recount = this.#recount;
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
   * @returns a day that waits to be flushed, and when to set the alarm for it, each `null` for none.
   */
  closeBooks(jobId: string, replace: boolean, now: number): ClosedBooks {
    const recount = this.#recount;
    if (recount?.scope.job_id !== jobId) return { watch: null, alarmAt: null };
    if (replace) this.#replaceDays(recount, now);
    recount.close();
    this.#recount = undefined;
    this.#head.closed_job = jobId;
    if (replace) this.#head.flush.due_at = now;
    this.#save();
    if (!replace) return { watch: null, alarmAt: null };
    this.#alarmPending = true;
    return { watch: this.#watch(undefined), alarmAt: now };
  }

  #replaceDays(recount: Recount, now: number): void {
    const head = this.#head;
    const version = this.#nextVersion(now);
    for (const { pairs } of recount.compare(this.#books)) {
      for (const { recounted } of pairs) this.#books.replace({ ...recounted, version });
      if (pairs.length > 0) head.version = version;
      this.#layToRest(HEAD_TEXT_LIMIT, true);
    }
    if (recount.scope.trusts_archive) {
      if (recount.uncounted > 0) this.#adoptIds(recount.books.ids);
      head.flush.sent_version = 0;
    }
    head.flush.rests_unsent = true;
    this.#resends++;
  }

  /** Remembers the ids that the meter had lost. */
  #adoptIds(ids: IdMemory): void {
    const today = dayOf(this.#head.version);
    for (const records of ids.all()) {
      for (let i = 0; i < records.length; i += FINGERPRINT_WORDS) {
        const [low = 0, high = 0, content = 0] = records.subarray(i, i + FINGERPRINT_WORDS);
        if (this.#ids.find(low, high) === ABSENT) this.#ids.add(low, high, content, today);
      }
      this.#ids.settle(true);
    }
  }

  #nextVersion(now: number): number {
    return Math.max(this.#head.version + 1, now);
  }

  /** Brings the alarm forward when the ids want compaction; the flush that it also does is welcome. */
  #planCompaction(now: number): number | null {
    const { flush } = this.#head;
    if (!this.#ids.needsCompaction || (this.#alarmPending && flush.due_at !== null && flush.due_at <= now)) return null;
    flush.due_at = now;
    return now;
  }

  /** One full tail becomes a slot, if that row may be written: the longer one. */
  #settle(maySpill: boolean): void {
    const recounted = this.#recount?.books.ids;
    const [first, second] =
      recounted !== undefined && recounted.tail.length > this.#ids.tail.length
        ? [recounted, this.#ids]
        : [this.#ids, recounted];
    const spilled = first.settle(maySpill);
    second?.settle(maySpill && !spilled);
  }

  #keepRecent({ recent }: ApplyRequest, isFresh: Uint8Array): void {
    const fresh = recent.filter(([event]) => isFresh[event] === 1).map(([, shown]) => shown);
    if (fresh.length > 0) this.#head.recent = [...this.#head.recent, ...fresh].slice(-RECENT_EVENTS_MAX);
  }

  #watch(touched: MetricDay | undefined): ApplyReply["watch"] {
    const { flush } = this.#head;
    if (flush.due_at === null) return null;
    const waiting = touched?.toUsage() ?? this.#books.firstAfter(flush.sent_version, flush.rests_unsent);
    if (waiting === undefined) return null;
    return { metric_id: waiting.metric_id, day: waiting.day, version: waiting.version, due_at: flush.due_at };
  }

  /** Lays days of a head with more than `textMax` of them to rest. @returns whether any. */
  #layToRest(textMax: number, evenUnsent: boolean): boolean {
    const { flush } = this.#head;
    const rested = this.#books.layToRest(textMax, (day) => evenUnsent || day.version <= flush.sent_version);
    flush.rests_unsent ||= rested.some((day) => day.version > flush.sent_version);
    return rested.length > 0;
  }

  #save(): void {
    this.#head.ids = this.#ids.state;
    const recount = this.#recount;
    saveHead(this.#sql, {
      head: this.#head,
      tail: this.#ids.tail,
      recount: recount?.toState(),
      recountTail: recount?.books.ids.tail ?? new Uint32Array(),
    });
  }
}
