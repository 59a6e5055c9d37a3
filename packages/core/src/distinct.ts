import { HyperLogLog } from "./hyperloglog.ts";
import type { DistinctIds } from "./usage-day.ts";

/** So many ids of a day are kept as they are; with more it becomes a sketch. */
export const DISTINCT_EXACT_MAX = 2_000;
/** So many ids are united exactly when counts are read; with more the union becomes a sketch. */
export const DISTINCT_UNION_EXACT_MAX = 200_000;

const DAY_PRECISION = 14;
const HOUR_PRECISION = 10;

/** The ids that one customer's metric saw on one UTC day, while they come in. */
export class DistinctDay {
  #seen: Exactly | Roughly;
  /** Kept until the next change: most ids that come have been seen, and a meter writes its days with every call. */
  #stored: DistinctIds | undefined;

  private constructor(seen: Exactly | Roughly) {
    this.#seen = seen;
  }

  static empty(): DistinctDay {
    return new DistinctDay({ kind: "exactly", hoursOf: new Map() });
  }

  /** Reads what `toStored` wrote. */
  static from(stored: DistinctIds): DistinctDay {
    if ("ids" in stored) return new DistinctDay({ kind: "exactly", hoursOf: new Map(pairs(stored.ids)) });
    const hours: (HyperLogLog | undefined)[] = [];
    for (const [hour, text] of Object.entries(stored.hours)) hours[Number(hour)] = HyperLogLog.from(text);
    return new DistinctDay({ kind: "roughly", day: HyperLogLog.from(stored.sketch), hours });
  }

  /**
   * Adds an id. What is stored depends on which ids were seen in which hours, not on their order or on
   * how often they came.
   *
   * @param hash its 52-bit hash.
   * @param hour of the UTC day, 0–23.
   */
  add(hash: number, hour: number): void {
    if (this.#seen.kind === "roughly") {
      this.#stored = undefined;
      addRoughly(this.#seen, hash, 1 << hour);
      return;
    }
    const { hoursOf } = this.#seen;
    const before = hoursOf.get(hash) ?? 0;
    const after = before | (1 << hour);
    if (after === before) return;
    this.#stored = undefined;
    hoursOf.set(hash, after);
    if (hoursOf.size > DISTINCT_EXACT_MAX) this.#seen = toRoughly(hoursOf);
  }

  /** How many ids; an estimate unless `isExact`. */
  get size(): number {
    return this.#seen.kind === "exactly" ? this.#seen.hoursOf.size : Math.round(this.#seen.day.estimate());
  }

  get isExact(): boolean {
    return this.#seen.kind === "exactly";
  }

  /** The same ids in the same hours give the same text. */
  toStored(): DistinctIds {
    this.#stored ??= this.#write();
    return this.#stored;
  }

  #write(): DistinctIds {
    if (this.#seen.kind === "exactly") return { ids: [...this.#seen.hoursOf].toSorted(([a], [b]) => a - b).flat() };
    const hours: Record<string, string> = {};
    this.#seen.hours.forEach((sketch, hour) => {
      if (sketch !== undefined) hours[hour] = sketch.toText();
    });
    return { sketch: this.#seen.day.toText(), hours };
  }
}

/** Each id's hash with a bit for each hour in which it was seen. */
interface Exactly {
  readonly kind: "exactly";
  readonly hoursOf: Map<number, number>;
}

interface Roughly {
  readonly kind: "roughly";
  readonly day: HyperLogLog;
  readonly hours: (HyperLogLog | undefined)[];
}

function toRoughly(hoursOf: ReadonlyMap<number, number>): Roughly {
  const seen: Roughly = { kind: "roughly", day: HyperLogLog.empty(DAY_PRECISION), hours: [] };
  for (const [hash, hours] of hoursOf) addRoughly(seen, hash, hours);
  return seen;
}

function addRoughly(seen: Roughly, hash: number, hours: number): void {
  seen.day.add(hash);
  for (let rest = hours; rest !== 0; rest &= rest - 1) {
    const hour = 31 - Math.clz32(rest & -rest);
    const sketch = seen.hours[hour] ?? HyperLogLog.empty(HOUR_PRECISION);
    seen.hours[hour] = sketch;
    sketch.add(hash);
  }
}

function* pairs(ids: readonly number[]): Generator<[hash: number, hours: number]> {
  for (let at = 0; at < ids.length; at += 2) yield [ids[at] ?? 0, ids[at + 1] ?? 0];
}

/** A number of different ids. */
export interface DistinctCount {
  readonly value: bigint;
  /** Whether it is an estimate. */
  readonly approximate: boolean;
}

/**
 * The ids of many days together. Exact while only exact days come and the ids are few; the order in which
 * days are added never matters.
 */
export class DistinctUnion {
  /** `null` once a sketch took part. */
  #ids: Set<number> | null = new Set();
  #whole: HyperLogLog | null = null;
  /** Hours of days that are not wholly counted and known as sketches only. */
  #parts: HyperLogLog | null = null;

  /**
   * Adds the ids of a day.
   *
   * @param hours which hours of the UTC day count, a bit for each; `null` for the whole day.
   * @returns whether there were any.
   */
  add(ids: DistinctIds, hours: number | null): boolean {
    if ("ids" in ids) {
      let any = false;
      for (const [hash, seen] of pairs(ids.ids)) {
        if (hours !== null && (seen & hours) === 0) continue;
        this.#addId(hash);
        any = true;
      }
      return any;
    }
    const parts = Object.entries(ids.hours);
    const counted = hours === null ? parts : parts.filter(([hour]) => (hours >> Number(hour)) & 1);
    if (counted.length === 0) return false;
    this.#approximate();
    if (counted.length === parts.length) this.#sketch().merge(HyperLogLog.from(ids.sketch));
    else {
      this.#parts ??= HyperLogLog.empty(HOUR_PRECISION);
      for (const [, sketch] of counted) this.#parts.merge(HyperLogLog.from(sketch));
    }
    return true;
  }

  #addId(hash: number): void {
    if (this.#ids === null) {
      this.#sketch().add(hash);
      return;
    }
    this.#ids.add(hash);
    if (this.#ids.size > DISTINCT_UNION_EXACT_MAX) this.#approximate();
  }

  #approximate(): void {
    for (const hash of this.#ids ?? []) this.#sketch().add(hash);
    this.#ids = null;
  }

  /** Made when it is needed: an answer by the hour has thousands of unions without one. */
  #sketch(): HyperLogLog {
    this.#whole ??= HyperLogLog.empty(DAY_PRECISION);
    return this.#whole;
  }

  /**
   * How many ids. Hours that are sketches add to the estimate of the rest what they add to its coarser
   * form, so that the bulk keeps the accuracy of whole days.
   */
  count(): DistinctCount {
    if (this.#ids !== null) return { value: BigInt(this.#ids.size), approximate: false };
    let estimate = this.#whole?.estimate() ?? 0;
    if (this.#parts !== null) {
      const coarse = this.#whole?.fold(HOUR_PRECISION) ?? HyperLogLog.empty(HOUR_PRECISION);
      const before = coarse.estimate();
      coarse.merge(this.#parts);
      estimate += coarse.estimate() - before;
    }
    return { value: BigInt(Math.round(estimate)), approximate: true };
  }
}
