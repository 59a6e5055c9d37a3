import type { Span } from "./buckets.ts";
import type { DayRange } from "./shown-days.ts";
import { DAY_MS, dayOf, HOUR_MS, hourOf } from "./timestamp.ts";

/**
 * How buckets are composed of the UTC days that usage is kept in. A day inside one bucket counts as a
 * whole; a day that a boundary cuts is taken apart into its hours.
 */
export interface DayPlan {
  readonly whole: readonly (readonly [day: number, bucket: number])[];
  readonly cut: readonly (readonly [day: number, buckets: BucketsByHour])[];
}

/** A plan whose days are found by their numbers: made once for all that is folded by it. */
export class DayIndex {
  readonly whole: ReadonlyMap<number, number>;
  readonly cut: ReadonlyMap<number, BucketsByHour>;

  constructor({ whole, cut }: DayPlan) {
    this.whole = new Map(whole);
    this.cut = new Map(cut);
  }
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
export function daysOfPlan(plan: DayPlan): DayRange | undefined {
  let first = Infinity;
  let last = -Infinity;
  for (const [day] of [...plan.whole, ...plan.cut]) {
    if (day < first) first = day;
    if (day > last) last = day;
  }
  return first <= last ? { first, last } : undefined;
}

/** The part of a plan that lies within some UTC days, both ends included. */
export function limitPlan(plan: DayPlan, { first, last }: DayRange): DayPlan {
  const isWithin = ([day]: readonly [number, unknown]): boolean => day >= first && day <= last;
  return { whole: plan.whole.filter(isWithin), cut: plan.cut.filter(isWithin) };
}
