import type { EventColumns, MeterAddress, Threshold } from "@tidemark/contract";
import type { Exact } from "@tidemark/core";
import { cycleAt } from "@tidemark/core/cycle";
import { DAY_MS } from "@tidemark/core/timestamp";
import { fractionalOffset, startOfDate } from "@tidemark/core/time-zone";
import type { Books } from "../books.ts";
import type { LiveBalance } from "./live-balance.ts";
import type { Metered } from "./metered-metrics.ts";
import type { Quotas } from "./quotas.ts";
import { Tally, tallyKey, type TallySpan } from "./tally.ts";
import { firedKey, Watch } from "./watch.ts";

/** A tally that is being watched. */
interface WatchedTally {
  readonly watch: Watch;
  readonly tally: Tally;
}

/**
 * Thresholds that no balance can tell: of metrics that the customer has no allowance of, and of segments. Kept in
 * memory alone, and read from the days when the meter wakes; only what was crossed, and since when each is watched,
 * is in the row.
 */
export class Tallies {
  readonly #quotas: Quotas;
  readonly #books: Books;
  readonly #address: MeterAddress;
  readonly #known = new Map<string, Tally>();
  #now = 0;
  #watches: readonly WatchedTally[] = [];

  constructor(quotas: Quotas, books: Books, address: MeterAddress) {
    this.#quotas = quotas;
    this.#books = books;
    this.#address = address;
  }

  /** Something is about to be counted: from here on is watched. Costs nothing where no threshold is. */
  begin(now: number): void {
    this.#now = now;
    this.#watches = this.#quotas.metrics.withThresholds.flatMap((metered) => this.#watch(metered));
  }

  #watch(metered: Metered): readonly WatchedTally[] {
    const live = this.#balanceOf(metered);
    const bySegment = Map.groupBy(metered.thresholds, ({ segment }) => segment);
    return [...bySegment].flatMap(([segment, thresholds]) => {
      const isBalances = segment === null && live !== undefined;
      const isGone = segment !== null && metered.metric.segments.every(({ name }) => name !== segment);
      return isBalances || isGone ? [] : [this.#open(metered, segment, thresholds, this.#spanOf(metered, live))];
    });
  }

  #open(metered: Metered, segment: string | null, thresholds: readonly Threshold[], span: TallySpan): WatchedTally {
    const key = tallyKey(metered.metric.id, segment);
    const known = this.#known.get(key);
    const tally =
      known?.metered === metered ? known : new Tally({ metered, segment, span }, this.#books, this.#quotas.tallied);
    tally.moveTo(span);
    this.#known.set(key, tally);
    const watch = new Watch(tally, { address: this.#address, metric: metered.metric, thresholds });
    // Of a cycle that has begun since a line was last looked at, nothing had been used; a new line begins where usage is.
    watch.moveTo(tally.nothing, (threshold) => (tally.fired.get(firedKey(threshold))?.start ?? Infinity) < span.start);
    for (const threshold of thresholds) {
      const fired = tally.fired.get(firedKey(threshold));
      if (fired?.start !== span.start) tally.note(firedKey(threshold), { start: span.start, times: 0, is_armed: true });
    }
    return { tally, watch };
  }

  /** The balance whose cycle the customer's usage of a metric is seen in. */
  #balanceOf({ metric }: Metered): LiveBalance | undefined {
    const isOurs = ({ definition, balance }: LiveBalance): boolean =>
      definition.metric_id === metric.id && !balance.isEnded;
    if (!this.#quotas.balances.all.some(isOurs)) return undefined;
    return this.#quotas.all(this.#now).find(isOurs);
  }

  /** Something was counted among the days: what comes to a line and goes back at once has crossed it. */
  add(metricId: string, value: Exact, instant: number, segments: number): void {
    for (const { tally, watch } of this.#watches) {
      if (tally.metered.metric.id !== metricId) continue;
      tally.add(value, instant, segments);
      if (tally.isAdditive) this.#quotas.crossings.look(watch, this.#now);
    }
  }

  /** Events were counted. @param isCounted which of them. */
  addEvents({ matches, values, instants, series, large }: EventColumns, isCounted: Uint8Array): void {
    if (this.#watches.length === 0) return;
    const largeValues = new Map(large);
    for (let match = 0; match < values.length; match++) {
      const event = matches[2 * match] ?? 0;
      const ref = series[matches[2 * match + 1] ?? 0];
      const plain = values[match] ?? NaN;
      if (isCounted[event] !== 1 || ref === undefined || Number.isNaN(plain)) continue;
      const value = Number.isFinite(plain) ? plain : (largeValues.get(match) ?? 0);
      this.add(ref.of ?? ref.metric_id, value, instants[event] ?? 0, ref.segments);
    }
  }

  /** The days have changed in a way that was not told. */
  invalidate(): void {
    for (const tally of this.#known.values()) tally.invalidate();
  }

  /**
   * Everything is done: notes what was crossed, also because the allowance is another now. What another cycle, or a
   * balance, has taken over meanwhile crosses nothing by that.
   */
  end(): void {
    for (const { tally, watch } of this.#watches) {
      const live = this.#balanceOf(tally.metered);
      const span = this.#spanOf(tally.metered, live);
      if (span.start !== tally.cycle.start || (tally.segment === null && live !== undefined)) continue;
      tally.moveTo(span);
      this.#quotas.crossings.look(watch, this.#now);
    }
    this.#watches = [];
  }

  /** The cycle of the balance, or where there is none the metric's interval. */
  #spanOf({ interval }: Metered, live: LiveBalance | undefined): TallySpan {
    if (live !== undefined) {
      const { cycle, definition, allowance } = live;
      // A limit for each label is no allowance of all of them together.
      return { start: cycle.start, end: cycle.end, allowance: definition.terms.per === null ? allowance : null };
    }
    const time_zone = hourlyZone(interval.time_zone, this.#now);
    const schedule = { interval, anchor: startOfDate(FIRST_DATE, time_zone), time_zone };
    return { ...cycleAt(schedule, this.#now), allowance: null };
  }
}

/** Intervals follow each other from a Monday on that begins a month: so do weeks, and months and years begin on the first. */
const FIRST_DATE = "2001-01-01";

/** Usage is kept by the hour of UTC: a zone that is half an hour off has its intervals in UTC, as reports have their days. */
function hourlyZone(timeZone: string, now: number): string {
  return fractionalOffset(timeZone, now - DAY_MS, now + DAY_MS) === undefined ? timeZone : "UTC";
}
