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
import { type Books, tieOf } from "./books.ts";
import { Flushing } from "./flushing.ts";
import { type Head, loadHead } from "./head.ts";
import type { IdMemory } from "./id-memory.ts";
import { MeterRow } from "./meter-row.ts";
import { completeEvents } from "./quota/complete-events.ts";
import { countBackfilled } from "./quota/count-backfilled.ts";
import { countFacts } from "./quota/count-facts.ts";
import { consumeUnenforced } from "./quota/consume-unenforced.ts";
import { decide } from "./quota/decide.ts";
import { define } from "./quota/define.ts";
import type { CountDecided, DecidedCount, Desk, Effect } from "./quota/desk.ts";
import type { Quotas } from "./quota/quotas.ts";
import { Tallies } from "./quota/tallies.ts";
import type { ClosedBooks } from "./recounts.ts";
import { remember, type Verdicts } from "./remember.ts";

/** A redelivery within this time of the meter's first call reports the customer as new again. */
const CREATED_MS = 10 * 60_000;
interface Applied {
  readonly reply: ApplyReply;
  /** When to set the alarm, or `null` to leave it. */
  readonly alarmAt: number | null;
}

interface Decisions {
  readonly replies: readonly DecideReply[];
  readonly alarmAt: number | null;
}

/** Nothing was done. */
const NOTHING: ApplyReply = {
  stale: false,
  unlearned: [],
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
  readonly flushing: Flushing;
  readonly #row: MeterRow;
  readonly #tallies: Tallies;
  /** Of what this call changes. */
  #version = 0;
  /** A day that this call's decisions were counted in. */
  #touched: MetricDay | undefined;
  /** Crossings that waited before this call. */
  #crossings = 0;

  private constructor(open: (count: CountDecided) => MeterRow) {
    this.#row = open((counted) => {
      this.#countDecided(counted);
    });
    this.flushing = new Flushing(this.#row);
    this.#tallies = new Tallies(this.quotas, this.#books, this.address);
  }

  /** The meter as it was saved, or `undefined` when it has never been called. */
  static load(sql: SqlStorage): Meter | undefined {
    const loaded = loadHead(sql);
    return loaded === undefined ? undefined : new Meter((count) => new MeterRow(sql, loaded, count));
  }

  /** A customer's new meter. Nothing is saved before the first event. */
  static create(sql: SqlStorage, address: MeterAddress, now: number): Meter {
    return new Meter((count) => MeterRow.create(sql, address, now, count));
  }

  /** What the customer may use. */
  get quotas(): Quotas {
    return this.#row.quotas;
  }

  get #head(): Head {
    return this.#row.head;
  }

  get #books(): Books {
    return this.#row.books;
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
    if (request.catalog_version < head.required_catalog) return { alarmAt: null, reply: { ...NOTHING, stale: true } };
    const unlearned = this.#learnWatched(request);
    if (unlearned.length > 0) return { alarmAt: null, reply: { ...NOTHING, unlearned } };
    const isFirst = this.#ids.isEmpty;
    if (isFirst) head.created_catalog = request.catalog_version;
    this.#begin(now);
    this.#tallies.begin(now);
    const verdicts = remember(this.#ids, request);
    const consumed = consumeUnenforced(this.#desk(now), request.consumed ?? []);
    const touched = this.#count(request, verdicts, now) ?? this.#touched;
    if (touched !== undefined) head.version = this.#version;
    this.#tallies.end();

    const flushAt = this.#plan(touched !== undefined, now, flushIntervalMs);
    const alarmAt = flushAt ?? this.flushing.planCompaction(now);
    this.#row.settle(alarmAt === null);
    if (touched !== undefined) this.#row.lighten();
    if (verdicts.fresh + consumed > 0) this.#row.save(now);

    const isYoung = now - head.created_at < CREATED_MS;
    const repeats = verdicts.duplicates > 0;
    return {
      alarmAt,
      reply: {
        stale: false,
        unlearned: [],
        fresh: verdicts.fresh,
        duplicates: verdicts.duplicates,
        conflicts: verdicts.conflicts,
        forgotten: verdicts.forgotten,
        created: isFirst || (isYoung && repeats),
        wants_metrics: this.quotas.metrics.outdated(request.catalog_version, now),
        watch: flushAt !== null || repeats ? this.flushing.watch(touched) : null,
      },
    };
  }

  /** Learns what it is told. @returns the watched metrics that it still has to learn. */
  #learnWatched({ catalog_version, watched = [], learns, series }: ApplyRequest): readonly string[] {
    const { metrics } = this.quotas;
    if (watched.length === 0 && metrics.withThresholds.length === 0) return [];
    const counted = new Set(series.map(({ metric_id, of = metric_id }) => of));
    const unlearned = metrics.unlearned(watched, counted, catalog_version);
    if (unlearned.length === 0 || learns === undefined) return unlearned;
    this.learn(learns, unlearned, catalog_version);
    return [];
  }

  /** Counts events in the days and, but for what was counted when it was decided about, in the balances. */
  #count(request: ApplyRequest, { isFresh }: Verdicts, now: number): MetricDay | undefined {
    const { quotas } = this;
    const books = this.#books;
    const touched = books.count(request, isFresh, this.#version);
    const decided = quotas.log.isEmpty ? NONE_DECIDED : completeEvents(quotas, books, request, isFresh, this.#version);
    const { matches } = request;
    countFacts(quotas, request, (match) => isFresh[matches[2 * match] ?? 0] === 1 && !decided.has(match), now);
    // What a decision had counted is taken back where the event is counted.
    if (decided.size > 0) this.#tallies.invalidate();
    else this.#tallies.addEvents(request, isFresh);
    this.#row.recounts.follow(request, isFresh);
    this.#keepRecent(request, isFresh);
    return touched;
  }

  /**
   * Decides, one request after the other, all in this transaction. Writes one row, and another one at most when
   * something was counted; nothing when nothing has to be remembered.
   */
  decide(requests: readonly DecideRequest[], now: number, flushIntervalMs: number): Decisions {
    this.#begin(now);
    this.#tallies.begin(now);
    const desk = this.#desk(now);
    const decided = requests.map((request) => decide(desk, request));
    this.#tallies.end();
    const replies = decided.map(({ reply }) => reply);
    const effects = new Set<Effect>(decided.map(({ effect }) => effect));
    if (effects.has("counted") || this.#hasCrossed) return { replies, alarmAt: this.#keep(now, flushIntervalMs) };
    if (effects.has("denied")) {
      this.quotas.settle(false);
      this.#row.save(now);
    }
    return { replies, alarmAt: null };
  }

  /** Saves a change of the quotas. @returns when to set the alarm, or `null` to leave it. */
  #keep(now: number, flushIntervalMs: number): number | null {
    this.#head.version = this.#version;
    const flushAt = this.#plan(this.#touched !== undefined, now, flushIntervalMs);
    const alarmAt = flushAt ?? this.flushing.planCompaction(now);
    this.#row.settle(alarmAt === null);
    this.#row.lighten();
    this.#row.save(now);
    return alarmAt;
  }

  /** Whether this call has crossed something. */
  get #hasCrossed(): boolean {
    return this.quotas.crossings.count > this.#crossings;
  }

  /** When to set the alarm for what this call has changed: at once for crossings. */
  #plan(isTouched: boolean, now: number, flushIntervalMs: number): number | null {
    if (this.#hasCrossed) return this.flushing.planNotice(now);
    return isTouched ? this.flushing.planChange(now, flushIntervalMs) : null;
  }

  /** Carries out what a person set. */
  define(
    request: DefineRequest,
    now: number,
    flushIntervalMs: number,
  ): { readonly reply: DefineReply; readonly alarmAt: number | null } {
    this.#begin(now);
    this.#tallies.begin(now);
    const done = define(this.quotas, request, now);
    this.#tallies.end();
    if (done.kind === "problem") return { reply: done, alarmAt: null };
    return { reply: { ...done, version: this.#version }, alarmAt: this.#keep(now, flushIntervalMs) };
  }

  /** Learns how metrics are defined now. */
  learn(told: readonly MeteredMetric[], asked: readonly string[], catalogVersion: number): void {
    this.quotas.learn(told, asked, catalogVersion);
  }

  /** A call begins: what it changes has its version. */
  #begin(now: number): void {
    this.#version = Math.max(this.#head.version + 1, now);
    this.#touched = undefined;
    this.#crossings = this.quotas.crossings.count;
  }

  #desk(now: number): Desk {
    return { quotas: this.quotas, now, isKnown: this.isKnown, hasEvent: (id) => this.#hasEvent(id) };
  }

  #hasEvent(id: string): boolean {
    const [low, high] = wordsOf(id);
    return this.#ids.find(low, high) !== ABSENT;
  }

  #countDecided({ metric, labels, segments, value, id, at }: DecidedCount): void {
    const ref = { metric_id: decidedCounter(metric.counter_id), aggregation: metric.aggregation, labels, segments };
    this.#head.version = this.#version;
    this.#touched = this.#books.add(ref, value, at, tieOf(...wordsOf(id)), this.#version);
    this.#tallies.add(metric.id, value, at, segments);
  }

  /** Everything that is limited or charged, as it stands; what has come to its end is saved. @returns when to set the alarm, or `null` to leave it. */
  refresh(now: number): number | null {
    this.#begin(now);
    this.quotas.all(now);
    const hasCrossed = this.#hasCrossed;
    if (this.quotas.hasNews || hasCrossed) this.#row.save(now);
    return hasCrossed ? this.flushing.planNotice(now) : null;
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

  /** Housekeeping; see `MeterRow.tidy`. @returns whether there is more to do. */
  tidy(oldestDay: number, now: number): boolean {
    this.#begin(now);
    return this.#row.tidy(oldestDay, now);
  }

  /** Enters events of the archive into a job's books; see `Recounts.enter`. */
  recount(request: RecountRequest, now: number): RecountReply {
    this.#begin(now);
    const reply = this.#row.recounts.enter(request);
    if (reply.books !== "closed") this.#row.save(now);
    return reply;
  }

  /** Holds a job's books against the meter's. */
  compare(jobId: string): CompareReply {
    return this.#row.recounts.compare(jobId);
  }

  /** Closes a job's books; see `Recounts.close`. */
  closeBooks(jobId: string, replace: boolean, now: number): ClosedBooks {
    this.#begin(now);
    const isClosed = this.#row.recounts.close(jobId, replace, this.#version, (pairs, { limits_from = null }) => {
      if (limits_from !== null) countBackfilled(this.quotas, pairs, limits_from, now);
      this.#row.lighten();
    });
    if (!isClosed) return { watch: null, alarmAt: null };
    this.#tallies.invalidate();
    const alarmAt = replace ? this.flushing.planResend(now) : null;
    this.#row.save(now);
    return { watch: replace ? this.flushing.watch(undefined) : null, alarmAt };
  }

  #keepRecent({ recent }: ApplyRequest, isFresh: Uint8Array): void {
    const fresh = recent.filter(([event]) => isFresh[event] === 1).map(([, shown]) => shown);
    if (fresh.length > 0) this.#head.recent = [...this.#head.recent, ...fresh].slice(-RECENT_EVENTS_MAX);
  }
}

function wordsOf(id: string): readonly [low: number, high: number] {
  const words: number[] = [0, 0];
  hashId(id, words, 0);
  return [words[0] ?? 0, words[1] ?? 0];
}
