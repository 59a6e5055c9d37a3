import type { EventColumns, MeterAddress, Threshold } from "@tidemark/contract";
import type { Exact } from "@tidemark/core";
import { cycleAt } from "@tidemark/core/cycle";
import { startOfDate } from "@tidemark/core/time-zone";
import type { Books } from "../books.ts";
import type { LiveBalance } from "./live-balance.ts";
import type { Metered } from "./metered-metrics.ts";
import type { Quotas } from "./quotas.ts";
import { Tally, type TallySpan } from "./tally.ts";
import { Watch } from "./watch.ts";

/**
 * Thresholds that no balance can tell: of metrics that the customer has no allowance of, and of segments. Kept in
 * memory alone, and read from the days when the meter wakes; only what was crossed is in the row.
 */
export class Tallies {
  readonly #quotas: Quotas;
  readonly #books: Books;
  readonly #address: MeterAddress;
  readonly #known = new Map<string, Tally>();
  #now = 0;
  #watches: readonly { readonly watch: Watch; readonly tally: Tally }[] = [];

  constructor(quotas: Quotas, books: Books, address: MeterAddress) {
    this.#quotas = quotas;
    this.#books = books;
    this.#address = address;
  }

  /** Something is about to be counted: from here on is watched. Costs nothing where no threshold is. */
  begin(now: number): void {
    this.#now = now;
    this.#watches = this.#quotas.metrics.withThresholds.flatMap((metered) => this.#watch(metered, now));
  }

  #watch(metered: Metered, now: number): readonly { readonly watch: Watch; readonly tally: Tally }[] {
    const live = this.#balanceOf(metered, now);
    const bySegment = Map.groupBy(metered.thresholds, ({ segment }) => segment);
    return [...bySegment].flatMap(([segment, thresholds]) => {
      const isBalances = segment === null && live !== undefined;
      const isGone = segment !== null && metered.metric.segments.every(({ name }) => name !== segment);
      return isBalances || isGone ? [] : [this.#open(metered, segment, thresholds, spanOf(metered, live, now))];
    });
  }

  #open(
    metered: Metered,
    segment: string | null,
    thresholds: readonly Threshold[],
    span: TallySpan,
  ): { readonly watch: Watch; readonly tally: Tally } {
    const key = JSON.stringify([metered.metric.id, segment]);
    const known = this.#known.get(key);
    const tally =
      known?.metered === metered ? known : new Tally({ metered, segment, span }, this.#books, this.#quotas.fired);
    tally.moveTo(span);
    this.#known.set(key, tally);
    return { tally, watch: new Watch(tally, { address: this.#address, metric: metered.metric, thresholds }) };
  }

  /** The balance whose cycle the customer's usage of a metric is seen in. */
  #balanceOf({ metric }: Metered, now: number): LiveBalance | undefined {
    const isOurs = ({ definition, balance }: LiveBalance): boolean =>
      definition.metric_id === metric.id && !balance.isEnded;
    if (!this.#quotas.balances.all.some(isOurs)) return undefined;
    return this.#quotas.all(now).find(isOurs);
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

  /** Everything is done: notes what was crossed, also because the allowance is another now. */
  end(): void {
    for (const { tally, watch } of this.#watches) {
      tally.moveTo(spanOf(tally.metered, this.#balanceOf(tally.metered, this.#now), this.#now));
      this.#quotas.crossings.look(watch, this.#now);
    }
    this.#watches = [];
  }
}

/** The cycle of the balance, or where there is none the metric's interval. */
function spanOf({ interval }: Metered, live: LiveBalance | undefined, now: number): TallySpan {
  if (live !== undefined) return { start: live.cycle.start, end: live.cycle.end, allowance: live.allowance };
  const { time_zone } = interval;
  const schedule = { interval, anchor: startOfDate(FIRST_DATE, time_zone), time_zone };
  return { ...cycleAt(schedule, now), allowance: null };
}

/** Intervals follow each other from a Monday on that begins a month: so do weeks, and months and years begin on the first. */
const FIRST_DATE = "2001-01-01";
