import { describe, expect, test } from "vitest";
import { lastDays } from "./buckets.ts";
import { planHours } from "./hour-plan.ts";
import { HOUR_MS } from "./timestamp.ts";

describe("every hour of the days is in the bucket of what the clock shows", () => {
  test.each([
    ["UTC", "2026-11-21T12:00Z"],
    ["Europe/Berlin", "2026-03-31T12:00Z"],
    ["Europe/Berlin", "2026-10-27T12:00Z"],
    ["America/Los_Angeles", "2026-11-03T12:00Z"],
    // Midnight itself is skipped there.
    ["America/Santiago", "2026-09-08T12:00Z"],
  ])("in %s until %s", (zone, now) => {
    const days = lastDays(Date.parse(now), 7, zone);
    const { whole, cut } = planHours(days, zone);
    expect(whole).toEqual([]);
    const clock = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", hourCycle: "h23" });
    const planned = cut.flatMap(([day, buckets]) =>
      buckets.flatMap((bucket, hour) => (bucket === null ? [] : [[(day * 24 + hour) * HOUR_MS, bucket] as const])),
    );
    const start = days[0]?.start ?? 0;
    const end = days.at(-1)?.end ?? 0;
    expect(planned.map(([at]) => at)).toEqual(
      Array.from({ length: (end - start) / HOUR_MS }, (_, index) => start + index * HOUR_MS),
    );
    for (const [at, bucket] of planned) expect(bucket).toBe(Number(clock.format(at)));
  });
});
