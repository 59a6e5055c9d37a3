import type { Span } from "./buckets.ts";
import type { DayPlan } from "./day-plan.ts";
import { zoned } from "./time-zone.ts";
import { DAY_MS, dayOf, HOUR_MS, hourOf } from "./timestamp.ts";

/**
 * Plans 24 buckets, one for each hour that a zone's clock shows, of all days together. An hour that a clock change
 * repeats is in its bucket twice, and one that it skips is in none.
 *
 * @param days the days of the zone, which is whole hours from UTC.
 */
export function planHours(days: readonly Span[], timeZone: string): DayPlan {
  const cut = new Map<number, (number | null)[]>();
  for (const { start, end } of days) {
    const isUsual = end - start === DAY_MS;
    for (let at = start; at < end; at += HOUR_MS) {
      const buckets = cut.get(dayOf(at)) ?? Array.from({ length: 24 }, () => null);
      // The calendar is asked on the two days of a year that need it.
      buckets[hourOf(at)] = isUsual ? (at - start) / HOUR_MS : zoned(at, timeZone).hour;
      cut.set(dayOf(at), buckets);
    }
  }
  return { whole: [], cut: [...cut] };
}
