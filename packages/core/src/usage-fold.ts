import { DayIndex, type DayPlan } from "./day-plan.ts";
import { DistinctUnion } from "./distinct.ts";
import type { Aggregation } from "./metric.ts";
import { isLater, type Said } from "./said.ts";
import type { DayGroup, DistinctIds, UsageDay } from "./usage-day.ts";

/** How one counter of a metric is looked at: on which days it is shown, and what of it. */
export interface CounterView {
  readonly counter_id: string;
  /** First and last UTC day, both included. */
  readonly first: number;
  readonly last: number;
  /** Positions of the labels to group by, -1 for one that this version lacks; `null` not to group. */
  readonly labelIndexes: readonly number[] | null;
  /** Only events in the segment of this bit; `null` for all. */
  readonly segment: number | null;
  /** Only events whose labels at these positions have these values. */
  readonly only: readonly (readonly [index: number, value: string])[];
}

/** A quantity of one bucket, in one group of labels. */
export interface UsageFigure {
  readonly bucket: number;
  /** The chosen labels as a JSON array; `[]` when usage is not grouped. */
  readonly group: string;
  /** In the metric's smallest unit; sums may leave int64. */
  readonly total: bigint;
  /** Whether it is an estimate. */
  readonly approximate: boolean;
  /** `latest` only: when the value was said. */
  readonly said?: Said;
}

/** What of a day is folded. `groups` and `ids` may be empty where the question does not need them. */
export type FoldedDay = Pick<UsageDay, "day" | "value" | "events" | "groups" | "ids">;

/**
 * Composes buckets of days, by a metric's aggregation: sums add, of maxima the highest stays, ids are
 * united, and of values that were said the last one stays. The order of the days never matters. Buckets in
 * which nothing counted have no figure.
 */
export class UsageFold {
  readonly #aggregation: Aggregation;
  readonly #days: DayIndex;
  readonly #figures = new Map<string, UsageFigure>();
  readonly #unions = new Map<
    string,
    { readonly bucket: number; readonly group: string; readonly ids: DistinctUnion }
  >();

  /** @param plan an index where many fold by the same plan, so that they share it. */
  constructor(aggregation: Aggregation, plan: DayPlan | DayIndex) {
    this.#aggregation = aggregation;
    this.#days = plan instanceof DayIndex ? plan : new DayIndex(plan);
  }

  /** Adds a counter's day; what is outside of the plan or the view gives nothing. */
  addDay(day: FoldedDay, view: CounterView): void {
    if (day.events === 0 || day.day < view.first || day.day > view.last) return;
    const bucket = this.#days.whole.get(day.day);
    const buckets = bucket ?? this.#days.cut.get(day.day);
    if (buckets === undefined) return;
    // The day as a whole tells the same as its groups, but for when what was counted or said.
    const isWhole = this.#aggregation === "unique" || (bucket !== undefined && this.#aggregation !== "latest");
    if (isWhole && isTotal(view)) {
      this.#addPart(buckets, "[]", { value: day.value, hours: {}, ids: day.ids });
      return;
    }
    for (const part of day.groups) {
      if (!isShown(part, view)) continue;
      const labels = view.labelIndexes?.map((index) => part.labels[index] ?? "") ?? [];
      this.#addPart(buckets, JSON.stringify(labels), { ...part, ids: part.ids ?? day.ids });
    }
  }

  #addPart(buckets: number | readonly (number | null)[], group: string, part: Part): void {
    if (this.#aggregation === "unique") {
      if (part.ids === undefined) return;
      if (typeof buckets === "number") this.#unite(buckets, group, part.ids, null);
      else for (const [bucket, hours] of hoursByBucket(buckets)) this.#unite(bucket, group, part.ids, hours);
      return;
    }
    if (typeof buckets === "number" && this.#aggregation !== "latest") {
      this.addFigure({ bucket: buckets, group, total: BigInt(part.value), approximate: false });
      return;
    }
    for (const [hour, value] of Object.entries(part.hours)) {
      const bucket = typeof buckets === "number" ? buckets : (buckets[Number(hour)] ?? null);
      const said = part.said?.[hour];
      if (bucket !== null)
        this.addFigure({
          bucket,
          group,
          total: BigInt(value),
          approximate: false,
          ...(said === undefined ? {} : { said }),
        });
    }
  }

  #unite(bucket: number, group: string, ids: DistinctIds, hours: number | null): void {
    const key = `${bucket} ${group}`;
    const union = this.#unions.get(key) ?? { bucket, group, ids: new DistinctUnion() };
    if (union.ids.add(ids, hours)) this.#unions.set(key, union);
  }

  /** Adds what has been composed elsewhere, of any metric but a distinct count. */
  addFigure(figure: UsageFigure): void {
    const key = `${figure.bucket} ${figure.group}`;
    const known = this.#figures.get(key);
    this.#figures.set(key, known === undefined ? figure : merge(this.#aggregation, known, figure));
  }

  /** The figures so far; a bucket without one is empty. */
  figures(): readonly UsageFigure[] {
    const unions = Array.from(this.#unions.values(), ({ bucket, group, ids }) => {
      const { value: total, approximate } = ids.count();
      return { bucket, group, total, approximate };
    });
    return [...this.#figures.values(), ...unions];
  }
}

/** A day or one of its groups. */
type Part = Pick<DayGroup, "value" | "hours" | "said"> & { readonly ids: DistinctIds | undefined };

/** Whether a view shows all of a counter as one. */
export function isTotal({
  labelIndexes,
  segment,
  only,
}: Pick<CounterView, "labelIndexes" | "segment" | "only">): boolean {
  return labelIndexes === null && segment === null && only.length === 0;
}

function isShown({ labels, segments = 0 }: DayGroup, { segment, only }: CounterView): boolean {
  if (segment !== null && ((segments >> segment) & 1) === 0) return false;
  return only.every(([index, value]) => (labels[index] ?? "") === value);
}

/** For each bucket of a day a bit for each of its hours. */
function hoursByBucket(buckets: readonly (number | null)[]): ReadonlyMap<number, number> {
  const masks = new Map<number, number>();
  buckets.forEach((bucket, hour) => {
    if (bucket !== null) masks.set(bucket, (masks.get(bucket) ?? 0) | (1 << hour));
  });
  return masks;
}

function merge(aggregation: Aggregation, a: UsageFigure, b: UsageFigure): UsageFigure {
  switch (aggregation) {
    case "count":
    case "sum":
      return { ...a, total: a.total + b.total };
    case "max":
      return b.total > a.total ? b : a;
    case "min":
      return b.total < a.total ? b : a;
    case "latest":
      return isLatest(b, a) ? b : a;
    case "unique":
      throw new Error("numbers of ids cannot be merged, only the ids");
  }
}

/** Of two customers' values said at one time by one id, the higher is the latest. */
function isLatest(a: UsageFigure, b: UsageFigure): boolean {
  if (a.said === undefined || b.said === undefined) return a.said !== undefined;
  return isLater(a.said, b.said) || (!isLater(b.said, a.said) && a.total > b.total);
}
