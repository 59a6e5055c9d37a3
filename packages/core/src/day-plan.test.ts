import fc from "fast-check";
import { expect, test } from "vitest";
import { bucketsOf, type Grain } from "./buckets.ts";
import { daysOfPlan, limitPlan, planDays } from "./day-plan.ts";
import { toSplitPlan } from "./split-plan.ts";
import { DAY_MS, dayOf, HOUR_MS, hourOf } from "./timestamp.ts";

const DAY = Date.parse("2026-10-25T00:00Z") / DAY_MS;

interface Hour {
  readonly at: number;
  readonly value: bigint;
}

function sum(hours: readonly Hour[]): bigint {
  return hours.reduce((total, { value }) => total + value, 0n);
}

test("a day inside a bucket counts as a whole, a day that a boundary cuts by its hours", () => {
  const buckets = bucketsOf({ start: DAY * DAY_MS + 22 * HOUR_MS, end: (DAY + 3) * DAY_MS }, "day", "UTC");
  const plan = planDays(buckets);
  expect(plan.whole).toEqual([
    [DAY + 1, 1],
    [DAY + 2, 2],
  ]);
  expect(plan.cut).toEqual([[DAY, [...Array.from({ length: 22 }, () => null), 0, 0]]]);
  expect(daysOfPlan(plan)).toEqual({ first: DAY, last: DAY + 2 });
  expect(daysOfPlan({ whole: [], cut: [] })).toBeUndefined();
});

test("a plan can be limited to some days", () => {
  const plan = planDays(bucketsOf({ start: DAY * DAY_MS + 22 * HOUR_MS, end: (DAY + 3) * DAY_MS }, "day", "UTC"));
  expect(limitPlan(plan, { first: DAY, last: DAY + 1 })).toEqual({ whole: [[DAY + 1, 1]], cut: plan.cut });
  expect(limitPlan(plan, { first: DAY + 2, last: Infinity })).toEqual({ whole: [[DAY + 2, 2]], cut: [] });
  expect(limitPlan(plan, { first: -Infinity, last: DAY - 1 })).toEqual({ whole: [], cut: [] });
});

const anyHour = fc.record({
  at: fc.integer({ min: DAY * 24 - 60, max: DAY * 24 + 100 }).map((hour) => hour * HOUR_MS),
  value: fc.oneof(fc.bigInt(-100n, 100n), fc.constantFrom(9223372036854775807n / 4n, -9223372036854775807n / 4n)),
});
const anyPlan = fc
  .record({
    first: fc.integer({ min: DAY * 24 - 60, max: DAY * 24 + 60 }),
    length: fc.integer({ min: 1, max: 90 }),
    grain: fc.constantFrom<Grain>("hour", "day", "week", "month"),
    zone: fc.constantFrom("UTC", "Europe/Berlin", "America/New_York", "Asia/Tokyo"),
  })
  .map(({ first, length, grain, zone }) =>
    bucketsOf({ start: first * HOUR_MS, end: (first + length) * HOUR_MS }, grain, zone),
  );

test("a split plan adds up to the same as the plan it was made of", () => {
  fc.assert(
    fc.property(fc.array(anyHour, { maxLength: 30 }), anyPlan, fc.boolean(), (hours, buckets, grouped) => {
      const plan = planDays(buckets);
      const totals = new Map<number, bigint>();
      const add = (bucket: number | null, value: bigint): void => {
        if (bucket !== null) totals.set(bucket, (totals.get(bucket) ?? 0n) + value);
      };
      const { split, hourly } = toSplitPlan(plan, grouped);
      for (const { day, main, moved, other } of split) {
        const own = hours.filter(({ at }) => dayOf(at) === day);
        const away = own.filter(({ at }) => moved.includes(hourOf(at)));
        add(main, sum(own) - sum(away));
        add(other, sum(away));
        expect(moved.length).toBeLessThanOrEqual(12);
        if (grouped && moved.length > 0) expect([main, other]).not.toContain(null);
      }
      for (const [day, byHour] of hourly) {
        for (const { at, value } of hours) if (dayOf(at) === day) add(byHour[hourOf(at)] ?? null, value);
      }
      const expected = buckets.map(
        ({ start, end }, bucket) => [bucket, sum(hours.filter(({ at }) => at >= start && at < end))] as const,
      );
      const nonZero = (entries: Iterable<readonly [number, bigint]>) =>
        new Map([...entries].filter(([, total]) => total !== 0n));
      expect(nonZero(totals)).toEqual(nonZero(expected));
    }),
  );
});
