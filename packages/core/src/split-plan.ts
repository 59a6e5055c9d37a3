import type { BucketsByHour, DayPlan } from "./day-plan.ts";

/**
 * A plan for adding up very many days: most days that a boundary cuts have one boundary, and then it is
 * enough to know the day's total and that of the hours on its shorter side.
 */
export interface SplitPlan {
  readonly split: readonly SplitDay[];
  /** Days in more parts, hour by hour. */
  readonly hourly: readonly (readonly [day: number, buckets: BucketsByHour])[];
}

/** A day in at most two parts. */
export interface SplitDay {
  readonly day: number;
  /** Where the day's total belongs, without the hours that are moved; `null` for nowhere. */
  readonly main: number | null;
  readonly moved: readonly number[];
  /** Where the moved hours belong. */
  readonly other: number | null;
}

/**
 * Sorts a plan's days by how they are added up.
 *
 * @param grouped whether usage is split by labels: then a day that reaches out of the plan goes hour by
 * hour, because what is subtracted would leave a 0 for groups that occur outside only.
 */
export function toSplitPlan(plan: DayPlan, grouped = false): SplitPlan {
  const split: SplitDay[] = plan.whole.map(([day, bucket]) => ({ day, main: bucket, moved: [], other: null }));
  const hourly: (readonly [number, BucketsByHour])[] = [];
  for (const [day, buckets] of plan.cut) {
    const parts = [...new Set(buckets)];
    if (parts.length > 2 || (grouped && parts.includes(null))) hourly.push([day, buckets]);
    else split.push(toSplitDay(day, buckets, parts));
  }
  return { split, hourly };
}

function toSplitDay(
  day: number,
  buckets: BucketsByHour,
  [first = null, second = null]: readonly (number | null)[],
): SplitDay {
  const hoursOf = (part: number | null): number[] => buckets.flatMap((bucket, hour) => (bucket === part ? [hour] : []));
  const left = hoursOf(first);
  const right = first === second ? [] : hoursOf(second);
  return left.length >= right.length
    ? { day, main: first, moved: right, other: second }
    : { day, main: second, moved: left, other: first };
}
