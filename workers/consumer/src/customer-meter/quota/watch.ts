import type { MeterAddress, Threshold, ThresholdCrossing } from "@tidemark/contract";
import { type Exact, formatExact, type Metric } from "@tidemark/core";
import { isBeyond } from "@tidemark/core/threshold";
import { toTime } from "./answers.ts";
import type { LiveBalance } from "./live-balance.ts";

/** A crossing as it is handed over. Repeating it changes nothing: its id follows from what it says. */
export interface Crossing extends ThresholdCrossing {
  readonly version: number;
  readonly metric_id: string;
  readonly metric: string;
  /** The line, as the threshold has it: units, or per cent with a sign. */
  readonly line: string;
  readonly allowance: string | null;
  readonly cycle: { readonly start: string; readonly end: string };
  /** Milliseconds. */
  readonly at: number;
}

/**
 * Looks at a balance before and after something happens to it. A threshold is crossed once in a cycle,
 * however often usage goes back and forth.
 */
export class Watch {
  readonly #live: LiveBalance;
  readonly #thresholds: readonly Threshold[];
  readonly #metric: Metric;
  readonly #address: MeterAddress;
  #beyond: readonly boolean[];

  constructor(live: LiveBalance, thresholds: readonly Threshold[], metric: Metric, address: MeterAddress) {
    this.#live = live;
    this.#thresholds = thresholds;
    this.#metric = metric;
    this.#address = address;
    this.#beyond = this.#see();
  }

  /** A cycle has begun since the last look: before it nothing of it was used. */
  beginCycle(): void {
    this.#live.fired.clear();
    this.#beyond = this.#see(this.#live.balance.state.current.used_before);
  }

  /** What was crossed since the last look, in the order of the thresholds. */
  look(now: number): readonly Crossing[] {
    if (this.#thresholds.length === 0) return [];
    const before = this.#beyond;
    this.#beyond = this.#see();
    const { start } = this.#live.balance.state.current;
    return this.#thresholds.flatMap((threshold, index) => {
      if (this.#beyond[index] !== true || before[index] === true) return [];
      const key = `${threshold.id}:${threshold.version}`;
      if (this.#live.fired.get(key) === start) return [];
      this.#live.fired.set(key, start);
      return [this.#toCrossing(threshold, now)];
    });
  }

  #see(used: Exact = this.#live.balance.state.current.used): readonly boolean[] {
    if (this.#thresholds.length === 0) return [];
    const { allowance } = this.#live;
    return this.#thresholds.map(({ operator, line }) => isBeyond(operator, line, used, allowance));
  }

  #toCrossing({ id, version, name, operator, line }: Threshold, now: number): Crossing {
    const { current } = this.#live.balance.state;
    const { allowance, label } = this.#live;
    const places = this.#metric.decimal_places;
    const start = toTime(current.start);
    // A line in per cent is another one for each balance; one in units is the metric's.
    const parts = [
      this.#address.customer_id,
      ...(label === "" ? [] : [label]),
      ...("units" in line ? [] : [this.#live.key]),
    ];
    const whose = parts.map((part) => encodeURIComponent(part.toWellFormed())).join("/");
    return {
      id: `${id}:${version}:${whose}:${start}`,
      threshold_id: id,
      version,
      name,
      operator,
      value: formatExact(current.used, places),
      line: "units" in line ? formatExact(line.units, places) : `${line.percent} %`,
      metric_id: this.#metric.id,
      metric: this.#metric.slug,
      allowance: allowance === null ? null : formatExact(allowance, places),
      cycle: { start, end: toTime(current.end) },
      at: now,
    };
  }
}
