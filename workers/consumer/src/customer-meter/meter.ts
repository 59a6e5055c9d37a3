import {
  type ApplyReply,
  type ApplyRequest,
  type CompareReply,
  decidedCounter,
  type DecideReply,
  type DecideRequest,
  type DefineReply,
  type DefineRequest,
  type MeterAddress,
  type MeteredMetric,
  RECENT_EVENTS_MAX,
  type ReadRequest,
  type RecentEvent,
  type RecountReply,
  type RecountRequest,
} from "@tidemark/contract";
import { ABSENT, hashId, type MetricDay, type UsageDay } from "@tidemark/core";
import { MAIN_TABLES } from "./book-tables.ts";
import { Books, tieOf } from "./books.ts";
import { type Head, type Loaded, loadHead, newHead, saveHead } from "./head.ts";
import { IdMemory } from "./id-memory.ts";
import { planFlush } from "./plan-flush.ts";
import { completeEvents } from "./quota/complete-events.ts";
import { countBackfilled } from "./quota/count-backfilled.ts";
import { consumeUnenforced } from "./quota/consume-unenforced.ts";
import { decide } from "./quota/decide.ts";
import { define } from "./quota/define.ts";
import type { DecidedCount, Desk, Effect } from "./quota/desk.ts";
import { NO_QUOTAS, Quotas } from "./quota/quotas.ts";
import type { Crossing } from "./quota/watch.ts";
import { type ClosedBooks, Recounts } from "./recounts.ts";
import { remember, type Verdicts } from "./remember.ts";

/** A redelivery within this time of the meter's first call reports the customer as new again. */
const CREATED_MS = 10 * 60_000;
/** Text of the days in the head above which the alarm moves days that were sent to rows of their own. */
const HEAD_TEXT_MAX = 16_384;
/** The same above which a call does it, sent or not: a row holds 2 MB at most. */
const HEAD_TEXT_LIMIT = 1_000_000;

interface Applied {
  readonly reply: ApplyReply;
  /** When to set the alarm, or `null` to leave it. */
  readonly alarmAt: number | null;
}

interface Decisions {
  readonly replies: readonly DecideReply[];
  readonly alarmAt: number | null;
}

/** What has not been handed to the rollup queue, and up to where handing it over reaches. */
export interface Outbox {
  readonly days: readonly UsageDay[];
  readonly crossings: readonly Crossing[];
  readonly version: number;
  readonly resends: number;
}

const STALE: ApplyReply = {
  stale: true,
  fresh: 0,
  duplicates: 0,
  conflicts: [],
  forgotten: [],
  created: false,
  wants_metrics: [],
  watch: null,
};

const NONE_DECIDED: ReadonlySet<number> = new Set();

/**
 * One customer's counting state, between the disk and the calls. Every method is synchronous: the caller
 * runs it in one transaction and forgets the instance when it throws.
 */
export class Meter {
  readonly quotas: Quotas;
  readonly #sql: SqlStorage;
  readonly #head: Head;
  readonly #books: Books;
  readonly #recounts: Recounts;
  /** Whether this instance has set the alarm and not seen it run. */
  #alarmPending = false;
  /** Of what this call changes. */
  #version = 0;
  /** A day that this call's decisions were counted in. */
  #touched: MetricDay | undefined;
  /** Counts what was put back into the outbox: a flush that began before does not take it out again. */
  #resends = 0;

  private constructor(sql: SqlStorage, { head, tail, recount, recountTail, quotas }: Loaded) {
    this.#sql = sql;
    this.#head = head;
    this.#books = new Books(sql, MAIN_TABLES, { ids: new IdMemory(sql, head.ids, tail), days: head.days });
    this.#recounts = new Recounts(sql, { head, books: this.#books }, recount, recountTail);
    this.quotas = new Quotas(sql, head.address, quotas, (counted) => {
      this.#countDecided(counted);
    });
  }

  /** The meter as it was saved, or `undefined` when it has never been called. */
  static load(sql: SqlStorage): Meter | undefined {
    const loaded = loadHead(sql);
    return loaded === undefined ? undefined : new Meter(sql, loaded);
  }

  /** A customer's new meter. Nothing is saved before the first event. */
  static create(sql: SqlStorage, address: MeterAddress, now: number): Meter {
    const none = new Uint32Array();
    const head = newHead(address, now);
    return new Meter(sql, { head, tail: none, recount: undefined, recountTail: none, quotas: NO_QUOTAS });
  }

  get address(): MeterAddress {
    return this.#head.address;
  }

  get #ids(): IdMemory {
    return this.#books.ids;
  }

  /** Whether it has ever counted, or been told, anything. */
  get isKnown(): boolean {
    return !this.#ids.isEmpty || this.#head.version > 0;
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
    this.#begin(now);
    const verdicts = remember(this.#ids, request);
    const consumed = consumeUnenforced(this.#desk(now), request.consumed ?? []);
    const touched = this.#count(request, verdicts, now) ?? this.#touched;
    if (touched !== undefined) head.version = this.#version;

    const flushAt = touched === undefined ? null : planFlush(head.flush, now, flushIntervalMs, this.#alarmPending);
    const alarmAt = flushAt ?? this.#planCompaction(now);
    if (alarmAt !== null) this.#alarmPending = true;
    this.#settle(alarmAt === null);
    if (touched !== undefined) this.#layToRest(HEAD_TEXT_LIMIT, true);
    if (verdicts.fresh + consumed > 0) this.#save(now);

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
        wants_metrics: this.quotas.metrics.outdated(request.catalog_version, now),
        watch: flushAt !== null || repeats ? this.#watch(touched) : null,
      },
    };
  }

  /** Counts events in the days and, but for what was counted when it was decided about, in the balances. */
  #count(request: ApplyRequest, { isFresh }: Verdicts, now: number): MetricDay | undefined {
    const { quotas } = this;
    const books = this.#books;
    const touched = books.count(request, isFresh, this.#version);
    const decided = quotas.log.isEmpty ? NONE_DECIDED : completeEvents(quotas, books, request, isFresh, this.#version);
    const { matches } = request;
    quotas.facts(request, (match) => isFresh[matches[2 * match] ?? 0] === 1 && !decided.has(match), now);
    this.#recounts.follow(request, isFresh);
    this.#keepRecent(request, isFresh);
    return touched;
  }

  /**
   * Decides, one request after the other, all in this transaction. Writes one row, and another one at most when
   * something was counted; nothing when nothing has to be remembered.
   */
  decide(requests: readonly DecideRequest[], now: number, flushIntervalMs: number): Decisions {
    this.#begin(now);
    const desk = this.#desk(now);
    const decided = requests.map((request) => decide(desk, request));
    const replies = decided.map(({ reply }) => reply);
    const effects = new Set<Effect>(decided.map(({ effect }) => effect));
    if (effects.has("counted")) return { replies, alarmAt: this.#keep(now, flushIntervalMs) };
    if (effects.has("denied")) {
      this.quotas.settle(false);
      this.#save(now);
    }
    return { replies, alarmAt: null };
  }

  /** Saves a change of the quotas. @returns when to set the alarm, or `null` to leave it. */
  #keep(now: number, flushIntervalMs: number): number | null {
    const head = this.#head;
    head.version = this.#version;
    const sends = this.#touched !== undefined || this.quotas.crossings.length > 0;
    const flushAt = sends ? planFlush(head.flush, now, flushIntervalMs, this.#alarmPending) : null;
    const alarmAt = flushAt ?? this.#planCompaction(now);
    if (alarmAt !== null) this.#alarmPending = true;
    this.#settle(alarmAt === null);
    this.#layToRest(HEAD_TEXT_LIMIT, true);
    this.#save(now);
    return alarmAt;
  }

  /** Carries out what a person set. */
  define(
    request: DefineRequest,
    now: number,
    flushIntervalMs: number,
  ): { readonly reply: DefineReply; readonly alarmAt: number | null } {
    this.#begin(now);
    const done = define(this.quotas, request, now);
    if (done.kind === "problem") return { reply: done, alarmAt: null };
    return { reply: { ...done, version: this.#version }, alarmAt: this.#keep(now, flushIntervalMs) };
  }

  /** Learns how metrics are defined now. */
  learn(told: readonly MeteredMetric[], asked: readonly string[], catalogVersion: number): void {
    this.quotas.learn(told, asked, catalogVersion);
  }

  /** A call begins: what it changes has its version. */
  #begin(now: number): void {
    this.#version = this.#nextVersion(now);
    this.#touched = undefined;
  }

  #desk(now: number): Desk {
    return { quotas: this.quotas, now, isKnown: this.isKnown, hasEvent: (id) => this.#hasEvent(id) };
  }

  #hasEvent(id: string): boolean {
    const [low, high] = wordsOf(id);
    return this.#ids.find(low, high) !== ABSENT;
  }

  #countDecided({ metric, labels, segments, value, id, at }: DecidedCount): void {
    const ref = { metric_id: decidedCounter(metric.id), aggregation: metric.aggregation, labels, segments };
    this.#head.version = this.#version;
    this.#touched = this.#books.add(ref, value, at, tieOf(...wordsOf(id)), this.#version);
  }

  /** Everything that is limited or charged, as it stands; what has come to its end is saved. */
  refresh(now: number): void {
    this.#begin(now);
    this.quotas.all(now);
    if (this.quotas.hasNews) this.#save(now);
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
    return { days, crossings: this.quotas.crossings, version, resends: this.#resends };
  }

  /**
   * Notes that the outbox was handed over. Nothing is written for that: sending the same rows again
   * changes nothing in D1, so the note may be lost.
   */
  markSent({ crossings, version, resends }: Outbox, now: number): void {
    const { flush } = this.#head;
    this.quotas.markCrossingsSent(crossings);
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
  tidy(oldestDay: number, now: number): boolean {
    this.#begin(now);
    const spills = this.#ids.isTailFull;
    if (spills) this.#ids.spill();
    const forgets = this.#ids.forgetBefore(oldestDay);
    const compacts = this.#ids.needsCompaction;
    if (compacts) this.#ids.compact();
    const { ids } = this.#recounts;
    if (ids?.needsCompaction === true) ids.compact();
    const tidies = this.quotas.tidy(oldestDay);
    const rests = this.#layToRest(HEAD_TEXT_MAX, false);
    if (spills || forgets || compacts || tidies || rests) this.#save(now);
    return this.#ids.needsCompaction || this.quotas.needsCompaction;
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

  /** Enters events of the archive into a job's books; see `Recounts.enter`. */
  recount(request: RecountRequest, now: number): RecountReply {
    this.#begin(now);
    const reply = this.#recounts.enter(request);
    if (reply.books !== "closed") this.#save(now);
    return reply;
  }

  /** Holds a job's books against the meter's. */
  compare(jobId: string): CompareReply {
    return this.#recounts.compare(jobId);
  }

  /** Closes a job's books; see `Recounts.close`. */
  closeBooks(jobId: string, replace: boolean, now: number): ClosedBooks {
    this.#begin(now);
    const isClosed = this.#recounts.close(jobId, replace, this.#version, (pairs, { limits_from = null }) => {
      if (limits_from !== null) countBackfilled(this.quotas, pairs, limits_from, now);
      this.#layToRest(HEAD_TEXT_LIMIT, true);
    });
    if (!isClosed) return { watch: null, alarmAt: null };
    if (replace) {
      this.#resends++;
      this.#head.flush.due_at = now;
    }
    this.#save(now);
    if (!replace) return { watch: null, alarmAt: null };
    this.#alarmPending = true;
    return { watch: this.#watch(undefined), alarmAt: now };
  }

  #nextVersion(now: number): number {
    return Math.max(this.#head.version + 1, now);
  }

  /** Brings the alarm forward when the ids want compaction; the flush that it also does is welcome. */
  #planCompaction(now: number): number | null {
    const { flush } = this.#head;
    const isDue = this.#ids.needsCompaction || this.quotas.needsCompaction;
    if (!isDue || (this.#alarmPending && flush.due_at !== null && flush.due_at <= now)) return null;
    flush.due_at = now;
    return now;
  }

  /** One full tail becomes a row of its own, if that row may be written: the longest one first. */
  #settle(maySpill: boolean): void {
    const recounted = this.#recounts.ids;
    const [first, second] =
      recounted !== undefined && recounted.tail.length > this.#ids.tail.length
        ? [recounted, this.#ids]
        : [this.#ids, recounted];
    let spilled = first.settle(maySpill);
    spilled = second?.settle(maySpill && !spilled) === true || spilled;
    this.quotas.settle(maySpill && !spilled);
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

  #save(now: number): void {
    this.#head.ids = this.#ids.state;
    const { quotas } = this;
    quotas.saveFinal(now);
    const { log } = quotas;
    saveHead(this.#sql, {
      head: this.#head,
      tail: this.#ids.tail,
      recount: this.#recounts.toState(),
      recountTail: this.#recounts.ids?.tail ?? new Uint32Array(),
      quotas: {
        text: quotas.isEmpty ? null : quotas.toText(),
        decisions: log.tail,
        decisionIds: log.idTail,
        members: quotas.memberTail,
      },
    });
  }
}

function wordsOf(id: string): readonly [low: number, high: number] {
  const words: number[] = [0, 0];
  hashId(id, words, 0);
  return [words[0] ?? 0, words[1] ?? 0];
}
