import {
  type DayDifference,
  type EventColumns,
  LABEL_LIMITS,
  type RecountRequest,
  type RecountScope,
} from "@tidemark/contract";
import { ABSENT, dayOf, describeDay, MetricDay, type UsageDay } from "@tidemark/core";
import { RECOUNT_TABLES } from "./book-tables.ts";
import { Books, dayKey, type Wants } from "./books.ts";
import type { RecountState } from "./head.ts";
import { EMPTY_ID_STATE, IdMemory } from "./id-memory.ts";

/** Text of days in the row above which days are laid to rest. */
const DAYS_TEXT_MAX = 100_000;
/** Days that are compared at once. */
const DAYS_AT_ONCE = 28;

/**
 * A second set of books for some counters and days, filled from the archive while the meter goes on
 * counting. From the moment it is open every event that the meter counts is entered here too; what it
 * counted before is in the archive, where the consumer writes before it calls a meter. An id is entered
 * once, from wherever it comes first, so the books end up complete, in any order and however often the
 * archive is read.
 */
export class Recount {
  readonly books: Books;
  readonly #state: RecountState;
  readonly #sql: SqlStorage;
  readonly #wants: Wants;

  constructor(sql: SqlStorage, state: RecountState, tail: Uint32Array) {
    const { counters, from_day, to_day } = state.scope;
    const wanted = new Set(counters);
    this.#sql = sql;
    this.#state = state;
    this.#wants = (metricId, day) => day >= from_day && day <= to_day && wanted.has(metricId);
    const ids = new IdMemory(sql, state.ids, tail, RECOUNT_TABLES);
    this.books = new Books(sql, RECOUNT_TABLES, { ids, days: state.days });
  }

  /** Opens new books; those of an earlier job are thrown away. */
  static open(sql: SqlStorage, scope: RecountScope): Recount {
    clearTables(sql);
    return new Recount(sql, { scope, uncounted: 0, ids: EMPTY_ID_STATE, days: new Map() }, new Uint32Array());
  }

  get scope(): RecountScope {
    return this.#state.scope;
  }

  /** Events that the meter had not counted when the archive named them. */
  get uncounted(): number {
    return this.#state.uncounted;
  }

  /** What is saved in the meter's row. */
  toState(): RecountState {
    this.#state.ids = this.books.ids.state;
    return this.#state;
  }

  /**
   * Enters events of the archive that the meter counted: not those whose id it knows with other content,
   * and those that it does not know only if the archive is trusted more than the meter.
   *
   * @returns how many the meter has not counted.
   */
  add(request: RecountRequest, counted: IdMemory): number {
    const { fingerprints, instants, trusts_archive } = request;
    const { ids } = this.books;
    const isEntered = new Uint8Array(instants.length);
    let uncounted = 0;
    for (let i = 0; i < instants.length; i++) {
      const low = fingerprints[3 * i] ?? 0;
      const high = fingerprints[3 * i + 1] ?? 0;
      const content = fingerprints[3 * i + 2] ?? 0;
      const day = dayOf(instants[i] ?? 0);
      if (ids.find(low, high) !== ABSENT) continue;
      const known = counted.isForgotten(day) ? content : counted.find(low, high);
      if (known === ABSENT && this.#isInRange(day)) uncounted++;
      if (known !== content && !(known === ABSENT && trusts_archive)) continue;
      ids.add(low, high, content, day);
      // An event without a time of its own can come again a day later: its id is noted on both.
      if (this.#isInRange(day)) isEntered[i] = 1;
    }
    this.#state.uncounted += uncounted;
    this.books.count(request, isEntered, 1, this.#wants);
    ids.settle(true);
    if (ids.needsCompaction) ids.compact();
    this.books.layToRest(DAYS_TEXT_MAX, () => true);
    return uncounted;
  }

  /** Enters what the meter has just counted. */
  follow(columns: EventColumns, isFresh: Uint8Array): void {
    const { fingerprints, instants } = columns;
    const { ids } = this.books;
    const isEntered = new Uint8Array(instants.length);
    for (let i = 0; i < instants.length; i++) {
      if (isFresh[i] !== 1) continue;
      const low = fingerprints[3 * i] ?? 0;
      const high = fingerprints[3 * i + 1] ?? 0;
      const day = dayOf(instants[i] ?? 0);
      if (!this.#isInRange(day) || ids.find(low, high) !== ABSENT) continue;
      ids.add(low, high, fingerprints[3 * i + 2] ?? 0, day);
      isEntered[i] = 1;
    }
    this.books.count(columns, isEntered, 1, this.#wants);
    this.books.layToRest(DAYS_TEXT_MAX, () => true);
  }

  #isInRange(day: number): boolean {
    return day >= this.scope.from_day && day <= this.scope.to_day;
  }

  /**
   * Compares the meter's days with these books', some weeks at a time: a year of a customer with many labels
   * does not fit in memory twice.
   */
  *compare(meter: Books): Generator<Comparison> {
    const { to_day } = this.scope;
    const first = Math.min(meter.firstDay, this.books.firstDay);
    const inScope = (day: UsageDay): boolean => this.#wants(day.metric_id, day.day);
    const last = Math.min(to_day, Math.max(meter.lastDay, this.books.lastDay));
    for (let from = Math.max(this.scope.from_day, first); from <= last; from += DAYS_AT_ONCE) {
      const to = Math.min(from + DAYS_AT_ONCE - 1, last);
      yield comparison(meter.read(from, to).filter(inScope), this.books.read(from, to).filter(inScope));
    }
  }

  /** Throws the books away. The caller saves the meter's row without them. */
  close(): void {
    clearTables(this.#sql);
  }
}

/** A counter's day as the meter has it and as the archive gives it; one that only the other has is empty. */
export interface DayPair {
  readonly counted: UsageDay;
  readonly recounted: UsageDay;
}

/** Some weeks of a meter, held against a job's books. */
export interface Comparison {
  /** The meter's days. */
  readonly counted: readonly UsageDay[];
  /** Days that one of the two has. */
  readonly days: number;
  /** Pairs that do not say the same. */
  readonly pairs: readonly DayPair[];
}

function comparison(counted: readonly UsageDay[], recounted: readonly UsageDay[]): Comparison {
  const byKey = (days: readonly UsageDay[]) => new Map(days.map((day) => [dayKey(day.metric_id, day.day), day]));
  const [ours, theirs] = [byKey(counted), byKey(recounted)];
  const keys = new Set([...ours.keys(), ...theirs.keys()]);
  const pairs = Array.from(keys, (key) => toPair(ours.get(key), theirs.get(key))).filter(
    (pair) => describeDay(pair.counted, LABEL_LIMITS) !== describeDay(pair.recounted, LABEL_LIMITS),
  );
  return { counted, days: keys.size, pairs };
}

function toPair(counted: UsageDay | undefined, recounted: UsageDay | undefined): DayPair {
  const some = counted ?? recounted;
  if (some === undefined) throw new Error("A pair has a day.");
  const empty = MetricDay.empty(some.metric_id, some.aggregation, some.day).toUsage();
  return { counted: counted ?? empty, recounted: recounted ?? empty };
}

/** Pairs in words. */
export function describePairs(pairs: readonly DayPair[]): readonly DayDifference[] {
  return pairs.map(toDifference);
}

function toDifference({ counted, recounted }: DayPair): DayDifference {
  const isSame = inWords(counted) === inWords(recounted);
  const ending = isSame ? ", otherwise split" : "";
  return {
    metric_id: counted.metric_id,
    day: counted.day,
    meter: inWords(counted),
    archive: inWords(recounted) + ending,
  };
}

function inWords({ value, events, rejected }: UsageDay): string {
  return `${value} of ${events} events, ${rejected} rejected`;
}

function clearTables(sql: SqlStorage): void {
  for (const table of Object.values(RECOUNT_TABLES)) sql.exec(`DELETE FROM ${table}`);
}
