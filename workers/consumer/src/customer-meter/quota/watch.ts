import type { MeterAddress, Threshold, ThresholdCrossing } from "@tidemark/contract";
import { type Exact, formatExact, hashId, type Metric } from "@tidemark/core";
import { isBack, isBeyond } from "@tidemark/core/threshold";
import { toTime } from "./answers.ts";
import type { Fired } from "./fired.ts";

/** A crossing as it is handed over. Repeating it changes nothing: its id follows from what it says. */
export interface Crossing extends ThresholdCrossing {
  readonly version: number;
  readonly metric_id: string;
  readonly metric: string;
  readonly segment: string | null;
  /** Of a limit `per` label: whose. */
  readonly label?: string;
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
  /** `null`: nothing has been measured yet, which is on no side of a line. */
  readonly used: Exact | null;
  /** What lines in per cent are measured against; `null`: nothing. */
  readonly allowance: Exact | null;
  /** Milliseconds. */
  readonly cycle: { readonly start: number; readonly end: number };
  /** Of a limit `per` label: whose; else "". */
  readonly label: string;
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

/** Names in a notice's id take this many characters at most: longer ones are told apart by their hash. */
const NAMES_LENGTH_MAX = 200;

/**
 * Looks at what is used before and after something happens to it. A threshold is crossed once in a cycle,
 * however often usage goes back and forth, unless it wants to be told of each time.
 */
export class Watch {
  readonly watched: Watched;
  readonly metric: WatchContext["metric"];
  readonly thresholds: readonly Threshold[];
  readonly #address: MeterAddress;
  #used: Exact | null;
  #beyond: readonly boolean[];

  constructor(watched: Watched, { address, metric, thresholds }: WatchContext) {
    this.watched = watched;
    this.metric = metric;
    this.thresholds = thresholds;
    this.#address = address;
    this.#used = watched.used;
    this.#beyond = this.#see(watched.used);
  }

  /** Goes on from another amount, as if that had been there at the last look. @param of only certain thresholds. */
  moveTo(used: Exact | null, of: (threshold: Threshold) => boolean = () => true): void {
    const moved = this.#see(used);
    this.#beyond = this.#beyond.map((before, index) => {
      const threshold = this.thresholds[index];
      return threshold !== undefined && of(threshold) ? (moved[index] ?? before) : before;
    });
    this.#used = used;
  }

  /** What was crossed since the last look, in the order of the thresholds. */
  look(now: number): readonly Crossing[] {
    if (this.thresholds.length === 0) return [];
    const before = this.#beyond;
    const previous = this.#used;
    this.#used = this.watched.used;
    this.#beyond = this.#see(this.#used);
    return this.thresholds.flatMap((threshold, index) => {
      const isCrossed = this.#beyond[index] === true && before[index] !== true;
      if (!isCrossed) this.#rearm(threshold);
      const times = isCrossed ? this.#fire(threshold) : 0;
      return times === 0 ? [] : [this.#toCrossing(threshold, { times, previous, now })];
    });
  }

  #see(used: Exact | null): readonly boolean[] {
    const { allowance } = this.watched;
    return this.thresholds.map(({ operator, line }) => used !== null && isBeyond(operator, line, used, allowance));
  }

  #firedOf(threshold: Threshold): Fired | undefined {
    const fired = this.watched.fired.get(firedKey(threshold));
    return fired?.start === this.watched.cycle.start ? fired : undefined;
  }

  /** @returns how many times it has been crossed in this cycle, or 0 when this one is not told. */
  #fire(threshold: Threshold): number {
    const fired = this.#firedOf(threshold);
    if (fired?.is_armed === false) return 0;
    const times = (fired?.times ?? 0) + 1;
    this.watched.note(firedKey(threshold), { start: this.watched.cycle.start, times, is_armed: false });
    return times;
  }

  #rearm(threshold: Threshold): void {
    if (threshold.repeat !== "per_crossing") return;
    const fired = this.#firedOf(threshold);
    const { used, allowance } = this.watched;
    if (fired?.is_armed !== false || used === null || !isBack(threshold, used, allowance)) return;
    this.watched.note(firedKey(threshold), { ...fired, is_armed: true });
  }

  #toCrossing(
    threshold: Threshold,
    { times, previous, now }: { readonly times: number; readonly previous: Exact | null; readonly now: number },
  ): Crossing {
    const { id, version, name, operator, line, segment } = threshold;
    const { allowance, cycle, label, used } = this.watched;
    const places = this.metric.decimal_places;
    const start = toTime(cycle.start);
    const whose = toNames([this.#address.customer_id, ...this.watched.namesFor(threshold)]);
    return {
      id: `${id}:${version}:${whose}:${start}${times === 1 ? "" : `:${times}`}`,
      threshold_id: id,
      version,
      name,
      operator,
      value: formatExact(used ?? 0, places),
      previous_value: formatExact(previous ?? 0, places),
      line: "units" in line ? formatExact(line.units, places) : `${line.percent} %`,
      segment,
      ...(label === "" ? {} : { label }),
      metric_id: this.metric.id,
      metric: this.metric.slug,
      allowance: allowance === null ? null : formatExact(allowance, places),
      cycle: { start, end: toTime(cycle.end) },
      at: now,
    };
  }
}

/** Under what a threshold's crossing is noted. */
export function firedKey({ id, version }: Threshold): string {
  return `${id}:${version}`;
}

function toNames(names: readonly string[]): string {
  const text = names.map((part) => encodeURIComponent(part.toWellFormed())).join("/");
  if (text.length <= NAMES_LENGTH_MAX) return text;
  const words: number[] = [0, 0];
  hashId(text, words, 0);
  return `~${words.map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("")}`;
}
