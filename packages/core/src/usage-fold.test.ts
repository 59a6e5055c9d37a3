import fc from "fast-check";
import { expect, test } from "vitest";
import { bucketsOf, type Grain } from "./buckets.ts";
import { MetricDay } from "./day-book.ts";
import { planDays } from "./day-plan.ts";
import type { Aggregation } from "./metric.ts";
import { hash52 } from "./metric.ts";
import { DAY_MS, dayOf, HOUR_MS } from "./timestamp.ts";
import type { UsageDay } from "./usage-day.ts";
import { type CounterView, UsageFold } from "./usage-fold.ts";

const DAY = Date.parse("2026-10-25T00:00Z") / DAY_MS;
const LIMITS = {
  groupsMax: 1_000,
  distinctGroupsMax: 1_000,
  latestGroupsMax: 1_000,
  textMax: 1_000_000,
  otherLabel: "(other)",
};

interface Use {
  readonly at: number;
  readonly labels: readonly string[];
  readonly segments: number;
  readonly value: number;
  readonly tie: number;
}

/** Days as a meter would keep them. */
function toDays(uses: readonly Use[], aggregation: Aggregation): UsageDay[] {
  return [...Map.groupBy(uses, ({ at }) => dayOf(at))].map(([day, own]) => {
    const counted = MetricDay.empty("m", aggregation, day);
    for (const { at, labels, segments, value, tie } of own)
      counted.add(counted.group(labels, segments, LIMITS), toValue(value, aggregation), at, tie, 1);
    return counted.toUsage();
  });
}

function toValue(value: number, aggregation: Aggregation): number {
  return aggregation === "unique" ? hash52(String(value % 7)) : value;
}

/** What uses come to, by another way. */
function oracle(uses: readonly Use[], aggregation: Aggregation): bigint | undefined {
  const values = uses.map(({ value }) => toValue(value, aggregation));
  if (values.length === 0) return undefined;
  switch (aggregation) {
    case "count":
    case "sum":
      return values.reduce((sum, value) => sum + BigInt(value), 0n);
    case "max":
      return BigInt(Math.max(...values));
    case "min":
      return BigInt(Math.min(...values));
    case "unique":
      return BigInt(new Set(values).size);
    case "latest":
      return BigInt(uses.toSorted((a, b) => a.at - b.at || a.tie - b.tie).at(-1)?.value ?? 0);
  }
}

const ALL: CounterView = {
  counter_id: "m",
  first: -Infinity,
  last: Infinity,
  labelIndexes: null,
  segment: null,
  only: [],
};

const anyUse: fc.Arbitrary<Use> = fc.record({
  at: fc.integer({ min: (DAY * 24 - 60) * 4, max: (DAY * 24 + 100) * 4 }).map((quarter) => (quarter * HOUR_MS) / 4),
  labels: fc.tuple(fc.constantFrom("a", "b", ""), fc.constantFrom("x", "y")),
  segments: fc.integer({ min: 0, max: 3 }),
  value: fc.integer({ min: -100, max: 100 }).map((value) => value * 1_000),
  tie: fc.integer({ min: 0, max: 2 ** 40 }),
});
/** One event cannot be said twice: a second of the same time and tie would be either. */
const anyUses = fc.uniqueArray(anyUse, { maxLength: 40, selector: ({ at, tie }) => `${at} ${tie}` });
const anyBuckets = fc
  .record({
    first: fc.integer({ min: DAY * 24 - 60, max: DAY * 24 + 60 }),
    length: fc.integer({ min: 1, max: 90 }),
    grain: fc.constantFrom<Grain>("hour", "day", "week", "month"),
    zone: fc.constantFrom("UTC", "Europe/Berlin", "America/New_York", "Asia/Tokyo"),
  })
  .map(({ first, length, grain, zone }) =>
    bucketsOf({ start: first * HOUR_MS, end: (first + length) * HOUR_MS }, grain, zone),
  );
const anyView = fc.record({
  labelIndexes: fc.constantFrom(null, [0], [1], [1, 0], [-1, 1]),
  segment: fc.constantFrom(null, 0, 1),
  only: fc.constantFrom<CounterView["only"][]>(
    [],
    [[0, "a"]],
    [[1, "y"]],
    [
      [0, ""],
      [1, "x"],
    ],
  ),
  first: fc.constantFrom(-Infinity, DAY - 1),
  last: fc.constantFrom(Infinity, DAY + 1),
});

const AGGREGATIONS: readonly Aggregation[] = ["count", "sum", "max", "min", "unique", "latest"];

test.each(AGGREGATIONS)(
  "%s gives every bucket and group what its events come to, in any order of days",
  (aggregation) => {
    fc.assert(
      fc.property(anyUses, anyBuckets, anyView, (drawn, buckets, part) => {
        const uses = drawn.map((use) =>
          aggregation === "unique" ? { ...use, value: Math.abs(use.value / 1_000) } : use,
        );
        const view = { ...ALL, ...part };
        const seen = uses.filter(
          ({ at, labels, segments }) =>
            dayOf(at) >= view.first &&
            dayOf(at) <= view.last &&
            (view.segment === null || ((segments >> view.segment) & 1) === 1) &&
            view.only.every(([index, value]) => labels[index] === value),
        );
        const expected = new Map<string, bigint | undefined>();
        buckets.forEach(({ start, end }, bucket) => {
          const own = seen.filter(({ at }) => at >= start && at < end);
          const groups = Map.groupBy(own, ({ labels }) =>
            JSON.stringify((view.labelIndexes ?? []).map((index) => labels[index] ?? "")),
          );
          for (const [group, members] of groups) expected.set(`${bucket} ${group}`, oracle(members, aggregation));
        });
        const days = toDays(uses, aggregation);
        for (const order of [days, days.toReversed()]) {
          const fold = new UsageFold(aggregation, planDays(buckets));
          for (const day of order) fold.addDay(day, view);
          const figures = fold.figures();
          expect(new Map(figures.map(({ bucket, group, total }) => [`${bucket} ${group}`, total]))).toEqual(expected);
          expect(figures.every(({ approximate }) => !approximate)).toBe(true);
        }
      }),
      { numRuns: 150 },
    );
  },
);

test.each(AGGREGATIONS.filter((name) => name !== "unique"))(
  "%s that was composed in two parts is what it would be in one",
  (aggregation) => {
    fc.assert(
      fc.property(anyUses, anyUses, anyBuckets, (left, right, buckets) => {
        const plan = planDays(buckets);
        const parts = [left, right].map((uses) => {
          const fold = new UsageFold(aggregation, plan);
          for (const day of toDays(uses, aggregation)) fold.addDay(day, ALL);
          return fold;
        });
        const merged = new UsageFold(aggregation, plan);
        for (const part of parts) for (const figure of part.figures()) merged.addFigure(figure);
        const whole = new UsageFold(aggregation, plan);
        for (const uses of [right, left]) for (const day of toDays(uses, aggregation)) whole.addDay(day, ALL);
        const sorted = (fold: UsageFold) => fold.figures().toSorted((a, b) => a.bucket - b.bucket);
        expect(sorted(merged)).toEqual(sorted(whole));
      }),
      { numRuns: 50 },
    );
  },
);

test("a distinct count of many ids is an estimate, and only where they are", () => {
  const many = MetricDay.empty("m", "unique", DAY);
  const group = many.group([], 0, LIMITS);
  for (let i = 0; i < 5_000; i++) many.add(group, hash52(String(i)), DAY * DAY_MS + (i % 24) * HOUR_MS, 0, 1);
  const few = MetricDay.empty("m", "unique", DAY + 1);
  few.add(few.group([], 0, LIMITS), hash52("1"), (DAY + 1) * DAY_MS, 0, 1);
  const buckets = bucketsOf({ start: DAY * DAY_MS, end: (DAY + 2) * DAY_MS }, "day", "UTC");
  const fold = new UsageFold("unique", planDays(buckets));
  fold.addDay(many.toUsage(), ALL);
  fold.addDay(few.toUsage(), ALL);
  const [first, second] = fold.figures();
  expect([first?.approximate, second?.approximate, second?.total]).toEqual([true, false, 1n]);
  expect(Math.abs(Number(first?.total) / 5_000 - 1)).toBeLessThan(0.03);
});

test("sums go beyond 64 bits, and days without a counted event give nothing", () => {
  const huge = { day: DAY, value: (2n ** 70n).toString(), events: 2, groups: [] };
  const rejected = { day: DAY + 1, value: "0", events: 0, groups: [] };
  const fold = new UsageFold("sum", planDays([{ start: DAY * DAY_MS, end: (DAY + 2) * DAY_MS }]));
  for (const day of [huge, huge, rejected]) fold.addDay(day, ALL);
  expect(fold.figures()).toEqual([{ bucket: 0, group: "[]", total: 2n ** 71n, approximate: false }]);
  const none = new UsageFold("max", planDays([{ start: DAY * DAY_MS, end: (DAY + 2) * DAY_MS }]));
  none.addDay(rejected, ALL);
  expect(none.figures()).toEqual([]);
});
