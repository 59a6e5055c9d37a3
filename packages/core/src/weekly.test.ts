import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { weeklyAfter, weeklyUntil } from "./weekly.ts";

describe("an hour of the week", () => {
  test.each([
    ["later the same day", "UTC", 1, 9, "2026-11-23T08:59:59Z", "2026-11-23T09:00Z", "2026-11-16T09:00Z"],
    ["exactly now: the next is in a week", "UTC", 1, 9, "2026-11-23T09:00Z", "2026-11-30T09:00Z", "2026-11-23T09:00Z"],
    ["on Sunday", "UTC", 7, 0, "2026-11-23T09:00Z", "2026-11-29T00:00Z", "2026-11-22T00:00Z"],
    ["by the zone's own Monday", "Asia/Tokyo", 1, 9, "2026-11-22T23:00Z", "2026-11-23T00:00Z", "2026-11-16T00:00Z"],
    ["over the end of summer", "Europe/Berlin", 1, 9, "2026-10-20T00:00Z", "2026-10-26T08:00Z", "2026-10-19T07:00Z"],
    ["that is skipped", "Europe/Berlin", 7, 2, "2026-03-28T00:00Z", "2026-03-29T01:00Z", "2026-03-22T01:00Z"],
    ["that comes twice", "Europe/Berlin", 7, 2, "2026-10-24T00:00Z", "2026-10-25T00:00Z", "2026-10-18T00:00Z"],
  ])("%s", (_, zone, weekday, hour, now, next, last) => {
    const instant = Date.parse(now);
    expect(weeklyAfter(instant, { weekday, hour }, zone)).toBe(Date.parse(next));
    expect(weeklyUntil(instant, { weekday, hour }, zone)).toBe(Date.parse(last));
  });

  test("comes every week, at the same time of the clock", () => {
    const zones = fc.constantFrom("UTC", "Europe/Berlin", "America/Los_Angeles", "Asia/Kolkata", "Australia/Lord_Howe");
    const instants = fc.integer({ min: Date.parse("2020-01-01"), max: Date.parse("2035-01-01") });
    const hours = fc.integer({ min: 0, max: 23 });
    fc.assert(
      fc.property(instants, fc.integer({ min: 1, max: 7 }), hours, zones, (instant, weekday, hour, zone) => {
        const time = { weekday, hour };
        const next = weeklyAfter(instant, time, zone);
        const last = weeklyUntil(instant, time, zone);
        expect(last).toBeLessThanOrEqual(instant);
        expect(next).toBeGreaterThan(instant);
        expect(weeklyAfter(last, time, zone)).toBe(next);
        expect(weeklyUntil(next, time, zone)).toBe(next);
        // A week, give or take a change of the clock.
        expect(Math.abs(next - last - 7 * 86_400_000)).toBeLessThanOrEqual(3_600_000);
      }),
    );
  });
});
