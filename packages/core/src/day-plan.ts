import type { Span } from "./buckets.ts";
import { DAY_MS, dayOf, HOUR_MS, hourOf } from "./timestamp.ts";
import type { UsageDay } from "./usage-day.ts";

/**
 * How buckets are composed of the UTC days that usage is kept in. A day inside one bucket counts as a
 * whole; a day that a boundary cuts is taken apart into its hours.
 */
export interface DayPlan {
  readonly whole: readonly (readonly [day: number, bucket: number])[];
  readonly cut: readonly (readonly [day: number, buckets: BucketsByHour])[];
}

/** The bucket of each of a UTC day's 24 hours; `null` for an hour that is outside the span. */
export type BucketsByHour = readonly (number | null)[];

/** Plans consecutive buckets. Their boundaries are whole hours. */
export function planDays(buckets: readonly Span[]): DayPlan {
  const whole: [number, number][] = [];
  const cut = new Map<number, (number | null)[]>();
  buckets.forEach(({ start, end }, bucket) => {
    for (let at = start; at < end;) {
      const day = dayOf(at);
      const nextDay = (day + 1) * DAY_MS;
      if (at === day * DAY_MS && nextDay <= end) {
        whole.push([day, bucket]);
        at = nextDay;
        continue;
      }
      const hours = cut.get(day) ?? Array.from({ length: HOURS_OF_DAY }, () => null);
      hours[hourOf(at)] = bucket;
      cut.set(day, hours);
      at += HOUR_MS;
    }
  });
  return { whole, cut: [...cut] };
}

const HOURS_OF_DAY = 24;

/** The first and last UTC day of a plan, or `undefined` when it is empty. */
export function daysOfPlan(plan: DayPlan): { readonly first: number; readonly last: number } | undefined {
  let first = Infinity;
  let last = -Infinity;
  for (const [day] of [...plan.whole, ...plan.cut]) {
    if (day < first) first = day;
    if (day > last) last = day;
  }
  return first <= last ? { first, last } : undefined;
}

/** What one customer used of one metric in one bucket, in one group of labels. */
export interface UsageSum {
  readonly metric_id: string;
  readonly bucket: number;
  /** The chosen labels as a JSON array; `[]` when usage is not grouped. */
  readonly group: string;
  /** In the metric's smallest unit; sums over many customers may leave int64. */
  readonly total: bigint;
}

/**
 * Spreads days over the buckets of a plan: what the database does for stored days, for those that a
 * meter answered live. Days outside the plan and days without a counted event give nothing.
 *
 * @param labelIndexes which labels of a group to keep, by their position in the metric's `group_by`;
 * `null` not to group.
 */
export function spreadDays(
  days: readonly UsageDay[],
  plan: DayPlan,
  labelIndexes: readonly number[] | null,
): readonly UsageSum[] {
  const bucketOfDay = new Map(plan.whole);
  const bucketsOfDay = new Map(plan.cut);
  const sums = new Map<string, UsageSum>();
  const add = (metricId: string, bucket: number, group: string, value: string): void => {
    const key = `${bucket} ${metricId} ${group}`;
    const total = (sums.get(key)?.total ?? 0n) + BigInt(value);
    sums.set(key, { metric_id: metricId, bucket, group, total });
  };
  for (const day of days) {
    if (day.events === 0) continue;
    const bucket = bucketOfDay.get(day.day);
    if (bucket !== undefined && labelIndexes === null) {
      add(day.metric_id, bucket, "[]", day.value);
      continue;
    }
    for (const group of day.groups) {
      const key = JSON.stringify((labelIndexes ?? []).map((index) => group.labels[index] ?? ""));
      if (bucket !== undefined) add(day.metric_id, bucket, key, group.value);
      else {
        for (const [hour, value] of Object.entries(group.hours)) {
          const cut = bucketsOfDay.get(day.day)?.[Number(hour)] ?? null;
          if (cut !== null) add(day.metric_id, cut, key, value);
        }
      }
    }
  }
  return [...sums.values()];
}
