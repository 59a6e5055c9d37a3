import { addExact, DAY_MS, type Exact, fromInteger, HOUR_MS, type UsageDay } from "@tidemark/core";
import type { DayPair } from "../recount.ts";
import { countFact } from "./count-facts.ts";
import type { Quotas } from "./quotas.ts";

/**
 * Limits and charges follow a metric that was defined after its events, from when on a person chose: what the
 * archive has more than the meter had counted is usage, hour by hour. Only counts and sums can tell how much.
 *
 * @param from hours that begin from here on, in milliseconds.
 */
export function countBackfilled(quotas: Quotas, pairs: readonly DayPair[], from: number, now: number): void {
  for (const { counted, recounted } of pairs) {
    if (recounted.aggregation !== "count" && recounted.aggregation !== "sum") continue;
    const before = byHour(counted);
    for (const [hour, value] of byHour(recounted)) {
      const instant = recounted.day * DAY_MS + hour * HOUR_MS;
      const units = addExact(value, -(before.get(hour) ?? 0));
      if (instant >= from && units !== 0)
        countFact(quotas, recounted.metric_id, { value: units, instant, segments: 0 }, now);
    }
  }
}

/** What each hour of a day came to, whatever its labels. */
function byHour({ groups }: UsageDay): Map<number, Exact> {
  const hours = new Map<number, Exact>();
  for (const group of groups) {
    for (const [hour, value] of Object.entries(group.hours))
      hours.set(Number(hour), addExact(hours.get(Number(hour)) ?? 0, fromInteger(value)));
  }
  return hours;
}
