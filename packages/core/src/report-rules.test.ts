import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  cutShareOf,
  DORMANT_DAYS,
  dormantSince,
  DROPPING,
  GROWING,
  hasChanged,
  isNearLimit,
  rhythmOf,
  shareOf,
} from "./report-rules.ts";
import { TREND_RULES } from "./trend.ts";

const HUGE = 10n ** 30n;

describe("a change is what a rule looks for", () => {
  test.each([
    ["growing", GROWING, 131, 100, true],
    ["growing, but by exactly 30 %, not more", GROWING, 130, 100, false],
    ["growing beyond 64 bits by the smallest unit", GROWING, (HUGE * 130n) / 100n + 1n, HUGE, true],
    ["growing beyond 64 bits by exactly 30 %", GROWING, (HUGE * 130n) / 100n, HUGE, false],
    ["growing from nothing", GROWING, 5, 0, false],
    ["growing from less than nothing", GROWING, 5, -5, false],
    ["growing while it drops", GROWING, 50, 100, false],
    ["dropping", DROPPING, 49, 100, true],
    ["dropping, but by exactly 50 %, not more", DROPPING, 50, 100, false],
    ["dropping to nothing", DROPPING, 0, 1, true],
    ["dropping below nothing", DROPPING, -5, 1, true],
    ["dropping from nothing to less", DROPPING, -5, 0, false],
    ["dropping from less than nothing to even less", DROPPING, -50, -5, false],
  ])("%s", (_, rule, value, previous, expected) => {
    expect(hasChanged(rule, value, previous)).toBe(expected);
  });
});

test("a customer is dormant after as many days as by its trend", () => {
  expect(TREND_RULES.find(({ trend }) => trend === "dormant")?.when).toContain(`${DORMANT_DAYS} days`);
});

test("exactly seven days of silence are dormant", () => {
  expect(dormantSince(Date.parse("2026-11-21T15:30:00Z"))).toBe(Date.parse("2026-11-14T15:30:00Z"));
});

describe("a customer is near a limit", () => {
  test.each([
    [80, 100, true],
    [79, 100, false],
    [799_999_999_999_999_999n, 1_000_000_000_000_000_000n, false],
    [120, 100, true],
    [0, 100, false],
    [-5, 100, false],
    [0, 0, false],
    [1, 0, true],
  ])("with %s used of %s: %s", (used, allowance, expected) => {
    expect(isNearLimit(used, allowance)).toBe(expected);
  });
});

describe("a day's rhythm", () => {
  const day = (values: Readonly<Record<number, number>>): number[] =>
    Array.from({ length: 24 }, (_, hour) => values[hour] ?? 0);

  test("is bursty from half of the usage in three hours", () => {
    const eight = { 9: 0, 10: 0, 11: 0, 0: 17, 1: 17, 2: 17, 3: 17, 4: 16, 5: 16 };
    expect(rhythmOf(day(eight))).toMatchObject({ rhythm: "bursty", busiest: 51n });
    expect(rhythmOf(day({ 0: 10, 1: 10, 2: 10, 3: 10, 4: 10, 5: 10 }))?.rhythm).toBe("bursty");
    expect(rhythmOf(day({ 0: 10, 1: 10, 2: 10, 3: 10, 4: 10, 5: 10, 6: 1 }))?.rhythm).toBe("steady");
  });

  test("has its peak in the first of the busiest hours", () => {
    expect(rhythmOf(day({ 3: 7, 14: 9, 20: 9 }))).toMatchObject({ peak_hour: 14, peak: 9n });
  });

  test("takes what was given back for nothing, and has none without use", () => {
    expect(rhythmOf(day({ 3: 7, 14: -900 }))).toEqual({ peak_hour: 3, peak: 7n, busiest: 7n, rhythm: "bursty" });
    expect(rhythmOf(day({}))).toBeUndefined();
    expect(rhythmOf(day({ 3: -7 }))).toBeUndefined();
  });
});

describe("a share", () => {
  test.each([
    [1, 3, "0.3333", "0.3333"],
    [2, 3, "0.6667", "0.6666"],
    [1, 20_000, "0.0001", "0"],
    [1, 20_001, "0", "0"],
    [79_999, 100_000, "0.8", "0.7999"],
    [-1, 20_000, "-0.0001", "0"],
    [150, 100, "1.5", "1.5"],
    [1, 0, null, null],
    [1, -4, null, null],
  ])("of %s in %s is %s, cut off %s", (part, whole, rounded, cut) => {
    expect([shareOf(part, whole), cutShareOf(part, whole)]).toEqual([rounded, cut]);
  });

  test("is within half a hundredth of a per cent of the quotient", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -1_000_000, max: 1_000_000 }),
        fc.integer({ min: 1, max: 1_000_000 }),
        (part, whole) => {
          expect(Math.abs(Number(shareOf(part, whole)) - part / whole)).toBeLessThanOrEqual(0.00005 + 1e-9);
          expect(Math.abs(Number(cutShareOf(part, whole)))).toBeLessThanOrEqual(Math.abs(part / whole) + 1e-9);
        },
      ),
    );
  });
});
