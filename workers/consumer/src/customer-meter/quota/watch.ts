import type { MeterAddress, Threshold, ThresholdCrossing } from "@tidemark/contract";
import { type Exact, formatExact, type Metric } from "@tidemark/core";
import { isBack, isBeyond } from "@tidemark/core/threshold";
import { toTime } from "./answers.ts";
import type { Fired } from "./fired.ts";

/** A crossing as it is handed over. Repeating it changes nothing: its id follows from what it says. */
export interface Crossing extends ThresholdCrossing {
  readonly version: number;
  readonly metric_id: string;
  readonly metric: string;
  readonly segment: string | null;
  /** The line, as the threshold has it: units, or per cent with a sign. */
  readonly line: string;
  /** What was used before. */
  readonly previous_value: string;
  readonly allowance: string | null;
  readonly cycle: { readonly start: string; readonly end: string };
  /** Milliseconds. */
  readonly at: number;
}

/** What thresholds look at: a balance, or a running total. */
export interface Watched {
  readonly used: Exact;
  /** What lines in per cent are measured against; `null`: nothing. */
  readonly allowance: Exact | null;
  /** Milliseconds. */
  readonly cycle: { readonly start: number; readonly end: number };
  /** By threshold and version. */
  readonly fired: ReadonlyMap<string, Fired>;
  note(key: string, fired: Fired): void;
  /** What tells it apart from the customer's others that the same line is drawn in. */
  namesFor(threshold: Threshold): readonly string[];
}

/** Whose crossings these are, and of what. */
export interface WatchContext {
  readonly address: MeterAddress;
  readonly metric: Pick<Metric, "id" | "slug" | "decimal_places">;
  readonly thresholds: readonly Threshold[];
}

/**
 * Looks at what is used before and after something happens to it. A threshold is crossed once in a cycle,
 * however often usage goes back and forth, unless it wants to be told of each time.
 */
export class Watch {
  readonly watched: Watched;
  readonly metric: WatchContext["metric"];
  readonly #address: MeterAddress;
  readonly #thresholds: readonly Threshold[];
  #used: Exact;
  #beyond: readonly boolean[];

  constructor(watched: Watched, { address, metric, thresholds }: WatchContext) {
    this.watched = watched;
    this.metric = metric;
    this.#address = address;
    this.#thresholds = thresholds;
    this.#used = watched.used;
    this.#beyond = this.#see(watched.used);
  }

  /** Goes on from another amount, as if that had been there at the last look. */
  moveTo(used: Exact): void {
    this.#used = used;
    this.#beyond = this.#see(used);
  }

  /** What was crossed since the last look, in the order of the thresholds. */
  look(now: number): readonly Crossing[] {
    if (this.#thresholds.length === 0) return [];
    const before = this.#beyond;
    const previous = this.#used;
    this.#used = this.watched.used;
    this.#beyond = this.#see(this.#used);
    return this.#thresholds.flatMap((threshold, index) => {
      const isCrossed = this.#beyond[index] === true && before[index] !== true;
      if (!isCrossed) this.#rearm(threshold);
      const times = isCrossed ? this.#fire(threshold) : 0;
      return times === 0 ? [] : [this.#toCrossing(threshold, { times, previous, now })];
    });
  }

  #see(used: Exact): readonly boolean[] {
    const { allowance } = this.watched;
    return this.#thresholds.map(({ operator, line }) => isBeyond(operator, line, used, allowance));
  }

  #firedOf({ id, version }: Threshold): Fired | undefined {
    const fired = this.watched.fired.get(`${id}:${version}`);
    return fired?.start === this.watched.cycle.start ? fired : undefined;
  }

  /** @returns how many times it has been crossed in this cycle, or 0 when this one is not told. */
  #fire(threshold: Threshold): number {
    const fired = this.#firedOf(threshold);
    if (fired?.is_armed === false) return 0;
    const times = (fired?.times ?? 0) + 1;
    this.watched.note(`${threshold.id}:${threshold.version}`, {
      start: this.watched.cycle.start,
      times,
      is_armed: false,
    });
    return times;
  }

  #rearm(threshold: Threshold): void {
    if (threshold.repeat !== "per_crossing") return;
    const fired = this.#firedOf(threshold);
    if (fired?.is_armed !== false || !isBack(threshold, this.watched.used, this.watched.allowance)) return;
    this.watched.note(`${threshold.id}:${threshold.version}`, { ...fired, is_armed: true });
  }

  #toCrossing(
    threshold: Threshold,
    { times, previous, now }: { readonly times: number; readonly previous: Exact; readonly now: number },
  ): Crossing {
    const { id, version, name, operator, line, segment } = threshold;
    const { allowance, cycle, used } = this.watched;
    const places = this.metric.decimal_places;
    const start = toTime(cycle.start);
    const whose = [this.#address.customer_id, ...this.watched.namesFor(threshold)]
      .map((part) => encodeURIComponent(part.toWellFormed()))
      .join("/");
    return {
      id: `${id}:${version}:${whose}:${start}${times === 1 ? "" : `:${times}`}`,
      threshold_id: id,
      version,
      name,
      operator,
      value: formatExact(used, places),
      previous_value: formatExact(previous, places),
      line: "units" in line ? formatExact(line.units, places) : `${line.percent} %`,
      segment,
      metric_id: this.metric.id,
      metric: this.metric.slug,
      allowance: allowance === null ? null : formatExact(allowance, places),
      cycle: { start, end: toTime(cycle.end) },
      at: now,
    };
  }
}
