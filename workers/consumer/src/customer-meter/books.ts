import { type EventColumns, LABEL_LIMITS, type RejectedMatch, type SeriesRef } from "@tidemark/contract";
import { type DayCounter, dayOf, type Exact, MetricDay, type UsageDay } from "@tidemark/core";
import type { BookTables } from "./book-tables.ts";
import { DayTable } from "./day-table.ts";
import type { IdMemory } from "./id-memory.ts";

/** Days of metrics, by `dayKey`. */
export type Days = Map<string, MetricDay>;

export function dayKey(metricId: string, day: number): string {
  return `${day}:${metricId}`;
}

/** A set of books: which ids were counted, and what their events came to by metric and day. */
export class Books {
  readonly ids: IdMemory;
  /** Days in use; the others rest in a table. */
  readonly days: Days;
  readonly #atRest: DayTable;

  constructor(sql: SqlStorage, tables: BookTables, parts: { readonly ids: IdMemory; readonly days: Days }) {
    this.ids = parts.ids;
    this.days = parts.days;
    this.#atRest = new DayTable(sql, tables);
  }

  /**
   * Adds the values of the events that `isCounted` marks, of the series and days that are wanted.
   *
   * @returns a day that changed, or `undefined`.
   */
  count(
    columns: EventColumns,
    isCounted: Uint8Array,
    version: number,
    wants: Wants = EVERYTHING,
  ): MetricDay | undefined {
    const { matches, values, instants, series, fingerprints } = columns;
    const large = new Map(columns.large);
    const rejected = new Map(columns.rejected.map((rejection) => [rejection.match, rejection]));
    // The counters of this call, by day and series: most calls touch one day.
    const targets = new Map<number, (Target | null | undefined)[]>();
    let touched: MetricDay | undefined;
    for (let j = 0; j < values.length; j++) {
      const event = matches[2 * j] ?? 0;
      if (isCounted[event] !== 1) continue;
      const instant = instants[event] ?? 0;
      const dayNumber = dayOf(instant);
      const seriesIndex = matches[2 * j + 1] ?? 0;
      let ofDay = targets.get(dayNumber);
      if (ofDay === undefined) targets.set(dayNumber, (ofDay = []));
      let target = ofDay[seriesIndex];
      if (target === undefined) target = ofDay[seriesIndex] = this.#target(series[seriesIndex], dayNumber, wants);
      if (target === null) continue;
      touched = target.day;
      const value = values[j] ?? NaN;
      if (Number.isNaN(value)) reject(target.day, rejected.get(j), instant, version);
      else {
        const exact = Number.isFinite(value) ? value : largeValue(large, j);
        const tie = tieOf(fingerprints[3 * event] ?? 0, fingerprints[3 * event + 1] ?? 0);
        target.day.add(target.counter, exact, instant, tie, version);
      }
    }
    return touched;
  }

  /** Adds one value. @param tie see `MetricDay.add`. */
  add(ref: SeriesRef, value: Exact, instant: number, tie: number, version: number): MetricDay {
    const day = this.#dayOf(ref, dayOf(instant));
    day.add(day.group(ref.labels, ref.segments, LABEL_LIMITS), value, instant, tie, version);
    return day;
  }

  /** Takes a value of a count or sum back that is counted elsewhere. */
  takeBack(ref: SeriesRef, value: Exact, instant: number, version: number): void {
    const day = this.#dayOf(ref, dayOf(instant));
    day.takeBack(ref, value, instant, version, LABEL_LIMITS);
  }

  /** `null` for what is not wanted. */
  #target(ref: EventColumns["series"][number] | undefined, dayNumber: number, wants: Wants): Target | null {
    if (ref === undefined) throw new Error("A match names a series that the call does not have.");
    if (!wants(ref.metric_id, dayNumber)) return null;
    const day = this.#dayOf(ref, dayNumber);
    return { day, counter: day.group(ref.labels, ref.segments, LABEL_LIMITS) };
  }

  /** A counter's day, from where it rests or new. */
  #dayOf({ metric_id, aggregation }: SeriesRef, dayNumber: number): MetricDay {
    const key = dayKey(metric_id, dayNumber);
    const known = this.days.get(key);
    if (known !== undefined) return known;
    const atRest = this.#atRest.find(metric_id, dayNumber);
    const day = atRest === undefined ? MetricDay.empty(metric_id, aggregation, dayNumber) : MetricDay.from(atRest);
    this.days.set(key, day);
    return day;
  }

  /** Puts a day in the place of the one that is there. */
  replace(usage: UsageDay): void {
    this.days.set(dayKey(usage.metric_id, usage.day), MetricDay.from(usage));
  }

  /** The days in a range, both ends included, whether in use or at rest, by day. */
  read(fromDay: number, toDay: number): UsageDay[] {
    const days: UsageDay[] = [];
    for (const day of this.days.values()) if (day.day >= fromDay && day.day <= toDay) days.push(day.toUsage());
    for (const usage of this.#atRest.read(fromDay, toDay))
      if (!this.days.has(dayKey(usage.metric_id, usage.day))) days.push(usage);
    return days.toSorted((a, b) => a.day - b.day);
  }

  /** The first UTC day that has anything, or `Infinity`. */
  get firstDay(): number {
    return Array.from(this.days.values(), ({ day }) => day).reduce((a, b) => Math.min(a, b), this.#atRest.firstDay);
  }

  /** The last one, or `-Infinity`. */
  get lastDay(): number {
    return Array.from(this.days.values(), ({ day }) => day).reduce((a, b) => Math.max(a, b), this.#atRest.lastDay);
  }

  /** What changed after a version. @param mayRest whether some of it may have been laid to rest. */
  readAfter(version: number, mayRest: boolean): UsageDay[] {
    const inUse = Array.from(this.days.values()).filter((day) => day.version > version);
    const atRest = mayRest
      ? this.#atRest.readAfter(version).filter((day) => !this.days.has(dayKey(day.metric_id, day.day)))
      : [];
    return [...inUse.map((day) => day.toUsage()), ...atRest];
  }

  /** Some day that changed after a version, if there is one; see `readAfter`. */
  firstAfter(version: number, mayRest: boolean): UsageDay | undefined {
    for (const day of this.days.values()) if (day.version > version) return day.toUsage();
    return mayRest ? this.readAfter(version, true)[0] : undefined;
  }

  /** Lays days to rest while those in use take more than `textMax`, oldest first: a row each. @returns which. */
  layToRest(textMax: number, mayRest: (day: MetricDay) => boolean): readonly MetricDay[] {
    let size = 0;
    for (const day of this.days.values()) size += day.toText().length;
    if (size <= textMax) return [];
    const rested: MetricDay[] = [];
    for (const day of [...this.days.values()].toSorted((a, b) => a.day - b.day)) {
      if (size <= textMax) break;
      if (!mayRest(day)) continue;
      this.#atRest.write(day);
      size -= day.toText().length;
      this.days.delete(dayKey(day.metricId, day.day));
      rested.push(day);
    }
    return rested;
  }
}

/** What tells values apart that were said at the same time: a hash of the event's id. */
export function tieOf(low: number, high: number): number {
  return (high & 0xfffff) * 0x1_0000_0000 + low;
}

/** Whether a counter's day is to be counted. */
export type Wants = (metricId: string, day: number) => boolean;
const EVERYTHING: Wants = () => true;

interface Target {
  readonly day: MetricDay;
  readonly counter: DayCounter;
}

function reject(day: MetricDay, rejection: RejectedMatch | undefined, at: number, version: number): void {
  if (rejection === undefined) throw new Error("The call does not say why a value was rejected.");
  const { code, event_id: id, found } = rejection;
  day.reject(code, { id, at, found }, version);
}

function largeValue(large: ReadonlyMap<number, bigint>, match: number): Exact {
  const value = large.get(match);
  if (value === undefined) throw new Error("A large value is missing from the call.");
  return value;
}
