import {
  type ApplyReply,
  type ApplyRequest,
  LABEL_LIMITS,
  type MeterAddress,
  type ReadRequest,
} from "@tidemark/contract";
import { ABSENT, type DayCounter, dayOf, type Exact, MetricDay, type UsageDay } from "@tidemark/core";
import { readDay, readDays, readDaysAfter, writeDay } from "./day-table.ts";
import { dayKey, type Head, loadHead, newHead, saveHead } from "./head.ts";
import { IdMemory } from "./id-memory.ts";
import { planFlush } from "./plan-flush.ts";

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

/**
 * One customer's counting state, between the disk and the calls. Every method is synchronous: the caller
 * runs it in one transaction and forgets the instance when it throws.
 */
export class Meter {
  readonly #sql: SqlStorage;
  readonly #head: Head;
  readonly #ids: IdMemory;
  /** Whether this instance has set the alarm and not seen it run. */
  #alarmPending = false;

  private constructor(sql: SqlStorage, head: Head, tail: Uint32Array) {
    this.#sql = sql;
    this.#head = head;
    this.#ids = new IdMemory(sql, head.ids, tail);
  }

  /** The meter as it was saved, or `undefined` when it has never been called. */
  static load(sql: SqlStorage): Meter | undefined {
    const loaded = loadHead(sql);
    return loaded === undefined ? undefined : new Meter(sql, loaded.head, loaded.tail);
  }

  /** A customer's new meter. Nothing is saved before the first event. */
  static create(sql: SqlStorage, address: MeterAddress, now: number): Meter {
    return new Meter(sql, newHead(address, now), new Uint32Array());
  }

  get address(): MeterAddress {
    return this.#head.address;
  }

  /**
   * Counts the events that are new, and remembers them. Writes one row, or two: a slot of fingerprints
   * or the alarm, never both.
   */
  apply(request: ApplyRequest, now: number, flushIntervalMs: number): Applied {
    const head = this.#head;
    const isFirst = this.#ids.isEmpty;
    const version = Math.max(head.version + 1, now);
    const verdicts = this.#remember(request);
    const touched = this.#count(request, verdicts.isFresh, version);
    if (touched !== undefined) head.version = version;

    const flushAt = touched === undefined ? null : planFlush(head.flush, now, flushIntervalMs, this.#alarmPending);
    const alarmAt = flushAt ?? this.#planCompaction(now);
    if (alarmAt !== null) this.#alarmPending = true;
    this.#ids.settle(alarmAt === null);
    if (touched !== undefined) this.#moveDays(HEAD_TEXT_LIMIT, true);
    if (verdicts.fresh > 0) this.#save();

    const isYoung = now - head.created_at < CREATED_MS;
    const repeats = verdicts.duplicates > 0;
    return {
      alarmAt,
      reply: {
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
    const days: UsageDay[] = [];
    const inHead = this.#head.days;
    for (const day of inHead.values()) {
      if (wanted.has(day.metricId) && day.day >= from_day && day.day <= to_day) days.push(day.toUsage());
    }
    for (const usage of readDays(this.#sql, from_day, to_day)) {
      if (wanted.has(usage.metric_id) && !inHead.has(dayKey(usage.metric_id, usage.day))) days.push(usage);
    }
    return days.toSorted((a, b) => a.day - b.day);
  }

  /** What has not been handed to the rollup queue yet, and the version that handing it over reaches. */
  outbox(): { readonly days: readonly UsageDay[]; readonly version: number } {
    this.#alarmPending = false;
    const { days, flush, version } = this.#head;
    const inHead = Array.from(days.values()).filter((day) => day.version > flush.sent_version);
    const atRest = flush.rests_unsent
      ? readDaysAfter(this.#sql, flush.sent_version).filter((day) => !days.has(dayKey(day.metric_id, day.day)))
      : [];
    return { days: [...inHead.map((day) => day.toUsage()), ...atRest], version };
  }

  /**
   * Notes that the outbox was handed over. Nothing is written for that: sending the same rows again
   * changes nothing in D1, so the note may be lost.
   */
  markSent(version: number, now: number): void {
    const { flush } = this.#head;
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
    const moves = this.#moveDays(HEAD_TEXT_MAX, false);
    if (spills || forgets || compacts || moves) this.#save();
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

  /** Brings the alarm forward when the ids want compaction; the flush that it also does is welcome. */
  #planCompaction(now: number): number | null {
    const { flush } = this.#head;
    if (!this.#ids.needsCompaction || (this.#alarmPending && flush.due_at !== null && flush.due_at <= now)) return null;
    flush.due_at = now;
    return now;
  }

  #remember({ fingerprints, instants }: ApplyRequest): Verdicts {
    const verdicts: Verdicts = {
      fresh: 0,
      duplicates: 0,
      conflicts: [],
      forgotten: [],
      isFresh: new Uint8Array(instants.length),
    };
    for (let i = 0; i < instants.length; i++) {
      const low = fingerprints[3 * i] ?? 0;
      const high = fingerprints[3 * i + 1] ?? 0;
      const content = fingerprints[3 * i + 2] ?? 0;
      const day = dayOf(instants[i] ?? 0);
      if (this.#ids.isForgotten(day)) {
        verdicts.forgotten.push(i);
        continue;
      }
      const known = this.#ids.find(low, high);
      if (known === ABSENT) {
        this.#ids.add(low, high, content, day);
        verdicts.isFresh[i] = 1;
        verdicts.fresh++;
      } else if (known === content) verdicts.duplicates++;
      else verdicts.conflicts.push(i);
    }
    return verdicts;
  }

  /** Adds the fresh events' values. @returns a day that changed, or `undefined`. */
  #count(request: ApplyRequest, isFresh: Uint8Array, version: number): MetricDay | undefined {
    const { matches, values, instants, series } = request;
    const large = new Map(request.large);
    // The counters of this call, by day and series: most calls touch one day.
    const counters = new Map<number, ({ readonly day: MetricDay; readonly counter: DayCounter } | undefined)[]>();
    let touched: MetricDay | undefined;
    for (let j = 0; j < values.length; j++) {
      const event = matches[2 * j] ?? 0;
      if (isFresh[event] !== 1) continue;
      const instant = instants[event] ?? 0;
      const dayNumber = dayOf(instant);
      const seriesIndex = matches[2 * j + 1] ?? 0;
      let ofDay = counters.get(dayNumber);
      if (ofDay === undefined) counters.set(dayNumber, (ofDay = []));
      let target = ofDay[seriesIndex];
      if (target === undefined) {
        const ref = series[seriesIndex];
        if (ref === undefined) throw new Error("A match names a series that the call does not have.");
        const day = this.#day(ref.metric_id, dayNumber);
        target = { day, counter: day.group(ref.labels, LABEL_LIMITS) };
        ofDay[seriesIndex] = target;
      }
      touched = target.day;
      const value = values[j] ?? NaN;
      if (Number.isNaN(value)) target.day.reject(version);
      else target.day.add(target.counter, Number.isFinite(value) ? value : largeValue(large, j), instant, version);
    }
    return touched;
  }

  /** A metric's day, taken into the head if it rests. */
  #day(metricId: string, day: number): MetricDay {
    const key = dayKey(metricId, day);
    const known = this.#head.days.get(key);
    if (known !== undefined) return known;
    const atRest = readDay(this.#sql, metricId, day);
    const loaded = atRest === undefined ? MetricDay.empty(metricId, day) : MetricDay.from(atRest);
    this.#head.days.set(key, loaded);
    return loaded;
  }

  #watch(touched: MetricDay | undefined): ApplyReply["watch"] {
    const { flush, days } = this.#head;
    const waiting = touched ?? Array.from(days.values()).find((day) => day.version > flush.sent_version);
    if (waiting === undefined || flush.due_at === null) return null;
    return { metric_id: waiting.metricId, day: waiting.day, version: waiting.version, due_at: flush.due_at };
  }

  /** Moves days out of a head with more than `textMax` of them, oldest first. @returns whether any moved. */
  #moveDays(textMax: number, evenUnsent: boolean): boolean {
    const { days, flush } = this.#head;
    let size = 0;
    for (const day of days.values()) size += day.toText().length;
    if (size <= textMax) return false;
    let moved = false;
    for (const day of [...days.values()].toSorted((a, b) => a.day - b.day)) {
      if (size <= textMax) break;
      const isUnsent = day.version > flush.sent_version;
      if (isUnsent && !evenUnsent) continue;
      flush.rests_unsent ||= isUnsent;
      writeDay(this.#sql, day);
      size -= day.toText().length;
      days.delete(dayKey(day.metricId, day.day));
      moved = true;
    }
    return moved;
  }

  #save(): void {
    this.#head.ids = this.#ids.state;
    saveHead(this.#sql, this.#head, this.#ids.tail);
  }
}

interface Verdicts {
  fresh: number;
  duplicates: number;
  readonly conflicts: number[];
  readonly forgotten: number[];
  readonly isFresh: Uint8Array;
}

function largeValue(large: ReadonlyMap<number, bigint>, match: number): Exact {
  const value = large.get(match);
  if (value === undefined) throw new Error("A large value is missing from the call.");
  return value;
}
