import fc from "fast-check";
import { expect, test } from "vitest";
import { bucketsOf, type Grain } from "./buckets.ts";
import { daysOfPlan, planDays, spreadDays } from "./day-plan.ts";
import { toSplitPlan } from "./split-plan.ts";
import { DAY_MS, dayOf, HOUR_MS, hourOf } from "./timestamp.ts";
import type { UsageDay } from "./usage-day.ts";

const DAY = Date.parse("2026-10-25T00:00Z") / DAY_MS;

interface Hour {
  readonly at: number;
  readonly labels: readonly [string, string];
  readonly value: bigint;
}

/** Days as a meter would keep them, of what was used hour by hour. */
function toDays(hours: readonly Hour[]): UsageDay[] {
  return [...Map.groupBy(hours, ({ at }) => dayOf(at))].map(([day, own]) => ({
    metric_id: "m",
    day,
    version: 1,
    value: sum(own).toString(),
    events: own.length,
    rejected: 0,
    last_at: Math.max(...own.map(({ at }) => at)),
    groups: [...Map.groupBy(own, ({ labels }) => JSON.stringify(labels))].map(([labels, members]) => ({
      labels: JSON.parse(labels) as string[],
      value: sum(members).toString(),
      events: members.length,
      hours: Object.fromEntries(
        [...Map.groupBy(members, ({ at }) => hourOf(at))].map(([hour, rest]) => [hour, sum(rest).toString()]),
      ),
    })),
  }));
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

const anyHour = fc.record({
  at: fc.integer({ min: DAY * 24 - 60, max: DAY * 24 + 100 }).map((hour) => hour * HOUR_MS),
  labels: fc.tuple(fc.constantFrom("a", "b", ""), fc.constantFrom("x", "y")),
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

test("spreading days gives every bucket and group what its hours hold", () => {
  fc.assert(
    fc.property(
      fc.array(anyHour, { maxLength: 30 }),
      anyPlan,
      fc.constantFrom(null, [0], [1], [1, 0]),
      (hours, buckets, indexes) => {
        const expected = new Map<string, bigint>();
        for (const { at, labels, value } of hours) {
          const bucket = buckets.findIndex(({ start, end }) => at >= start && at < end);
          if (bucket < 0) continue;
          const key = `${bucket} ${JSON.stringify((indexes ?? []).map((index) => labels[index]))}`;
          expected.set(key, (expected.get(key) ?? 0n) + value);
        }
        const sums = spreadDays(toDays(hours), planDays(buckets), indexes);
        expect(new Map(sums.map(({ bucket, group, total }) => [`${bucket} ${group}`, total]))).toEqual(expected);
      },
    ),
  );
});

test("days without a counted event give nothing", () => {
  const [day] = toDays([{ at: DAY * DAY_MS, labels: ["a", "x"], value: 5n }]);
  const rejectedOnly = { ...(day as UsageDay), value: "0", events: 0, rejected: 3, groups: [] };
  expect(spreadDays([rejectedOnly], planDays([{ start: DAY * DAY_MS, end: (DAY + 1) * DAY_MS }]), null)).toEqual([]);
});

test("a split plan adds up to the same as the plan it was made of", () => {
  fc.assert(
    fc.property(fc.array(anyHour, { maxLength: 30 }), anyPlan, (hours, buckets) => {
      const plan = planDays(buckets);
      const totals = new Map<number, bigint>();
      const add = (bucket: number | null, value: bigint): void => {
        if (bucket !== null) totals.set(bucket, (totals.get(bucket) ?? 0n) + value);
      };
      const { split, hourly } = toSplitPlan(plan);
      for (const { day, main, moved, other } of split) {
        const own = hours.filter(({ at }) => dayOf(at) === day);
        const away = own.filter(({ at }) => moved.includes(hourOf(at)));
        add(main, sum(own) - sum(away));
        add(other, sum(away));
        expect(moved.length).toBeLessThanOrEqual(12);
      }
      for (const [day, byHour] of hourly) {
        for (const { at, value } of hours) if (dayOf(at) === day) add(byHour[hourOf(at)] ?? null, value);
      }
      const spread = spreadDays(toDays(hours), plan, null);
      const nonZero = (entries: Iterable<readonly [number, bigint]>) =>
        new Map([...entries].filter(([, total]) => total !== 0n));
      expect(nonZero(totals)).toEqual(nonZero(spread.map(({ bucket, total }) => [bucket, total] as const)));
    }),
  );
});
