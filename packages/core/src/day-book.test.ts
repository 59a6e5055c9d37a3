import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { describeDay, MetricDay } from "./day-book.ts";
import { DistinctUnion } from "./distinct.ts";
import { type Aggregation, hash52 } from "./metric.ts";
import { DAY_MS } from "./timestamp.ts";
import type { UsageDay } from "./usage-day.ts";

const LIMITS = { groupsMax: 5, distinctGroupsMax: 3, latestGroupsMax: 5, textMax: 1_000, otherLabel: "(other)" };
const DAY = 20_778;
const NOON = DAY * DAY_MS + DAY_MS / 2;

interface Said {
  readonly value: number;
  readonly label?: string;
  readonly segments?: number;
  readonly at?: number;
  readonly tie?: number;
}

function count(
  aggregation: Aggregation,
  said: readonly Said[],
  day = MetricDay.empty("m", aggregation, DAY),
): UsageDay {
  said.forEach(({ value, label, segments = 0, at = 0, tie = 0 }, index) => {
    const group = day.group(label === undefined ? [] : [label], segments, LIMITS);
    day.add(group, value, NOON + at, tie, index + 1);
  });
  return day.toUsage();
}

function say(values: readonly number[]): Said[] {
  return values.map((value, index) => ({ value, at: index }));
}

describe("the value of a day", () => {
  test.each([
    ["count", [1, 1, 1], "3"],
    ["sum", [1, 2, 3], "6"],
    ["sum", [5, -10, 5], "0"],
    ["sum", [-3, -4], "-7"],
    ["max", [10, 20, 30], "30"],
    ["max", [30, 10, 20], "30"],
    ["max", [-5, -9], "-5"],
    ["min", [20, 10, 30], "10"],
    ["min", [5, 9], "5"],
    ["latest", [10, 30, 20], "20"],
    ["unique", [hash52("a"), hash52("b"), hash52("a")], "2"],
  ] as const)("%s of %j is %s", (aggregation, values, expected) => {
    expect(count(aggregation, say(values)).value).toBe(expected);
  });

  test("is empty before anything counted, whatever was rejected", () => {
    const day = MetricDay.empty("m", "max", DAY);
    day.reject("not_a_number", { id: "a", at: NOON, found: "x" }, 1);
    expect(day.toUsage()).toMatchObject({ value: "0", events: 0, rejected: 1, groups: [] });
  });

  test("of two values said at one time is that of the higher tie", () => {
    const both = [
      { value: 1, tie: 2 },
      { value: 2, tie: 9 },
    ];
    expect([count("latest", both).value, count("latest", both.toReversed()).value]).toEqual(["2", "2"]);
  });

  test("that was said a millisecond later is the latest, whichever came first", () => {
    const said = say([10, 30, 20]);
    expect([count("latest", said).value, count("latest", said.toReversed()).value]).toEqual(["20", "20"]);
  });

  test("goes beyond int64 and comes back", () => {
    const day = MetricDay.empty("m", "sum", DAY);
    const group = day.group([], 0, LIMITS);
    const large = 2n ** 62n;
    for (const value of [large, large, large, -large, -large]) day.add(group, value, NOON, 0, 1);
    expect(day.toUsage().value).toBe(large.toString());
  });
});

test("a cycle's ids are its own: January has a and b, February a", () => {
  const [january, february] = [count("unique", say([hash52("a"), hash52("b")])), count("unique", say([hash52("a")]))];
  expect([january.value, february.value]).toEqual(["2", "1"]);
  const union = new DistinctUnion();
  for (const { ids } of [january, february]) if (ids !== undefined) union.add(ids, null);
  expect(union.count()).toMatchObject({ approximate: false });
  expect(Number(union.count().value)).toBe(2);
});

describe("groups", () => {
  test("are told apart by labels and by segments", () => {
    const usage = count("sum", [
      { value: 1, label: "a" },
      { value: 2, label: "a", segments: 1 },
      { value: 4, label: "b", segments: 1 },
      { value: 8, label: "a", segments: 1 },
    ]);
    expect(usage.groups.map(({ labels, segments, value }) => [labels[0], segments, value])).toEqual([
      ["a", undefined, "1"],
      ["a", 1, "10"],
      ["b", 1, "4"],
    ]);
    expect(usage.value).toBe("15");
  });

  test("beyond the cap share one by segments, and the whole stays exact", () => {
    const said = Array.from({ length: 20 }, (_, i) => ({ value: 1, label: `l${i}`, segments: i % 2 }));
    const usage = count("sum", said);
    expect(usage.value).toBe("20");
    expect(
      usage.groups.filter(({ labels }) => labels[0] === "(other)").map(({ segments = 0, value }) => [segments, value]),
    ).toEqual([
      [1, "8"],
      [0, "7"],
    ]);
  });

  test("of a distinct count have ids of their own as soon as there are two, and the day has those of all", () => {
    const one = count("unique", [
      { value: 1, label: "a" },
      { value: 2, label: "a" },
    ]);
    expect(one.groups[0]).not.toHaveProperty("ids");
    const two = count(
      "unique",
      [
        { value: 2, label: "b" },
        { value: 3, label: "b" },
      ],
      MetricDay.from(one),
    );
    expect([two.value, ...two.groups.map(({ value }) => value)]).toEqual(["3", "2", "2"]);
    const more = count("unique", [{ value: 4, label: "a" }], MetricDay.from(two));
    expect([more.value, ...more.groups.map(({ value }) => value)]).toEqual(["4", "3", "2"]);
  });
});

test.each<Aggregation>(["sum", "min", "unique"])(
  "a group of a %s that only rejected events opened is not there",
  (aggregation) => {
    const day = MetricDay.empty("m", aggregation, DAY);
    day.group(["rejected"], 0, LIMITS);
    day.reject("value_missing", { id: "a", at: NOON, found: "" }, 1);
    expect(day.toUsage()).toMatchObject({ groups: [], rejected: 1 });
    day.add(day.group(["counted"], 0, LIMITS), 7, NOON, 0, 2);
    const usage = day.toUsage();
    expect(usage.groups.map(({ labels }) => labels)).toEqual([["counted"]]);
    const slept = MetricDay.from(usage);
    for (const awake of [day, slept]) awake.add(awake.group(["rejected"], 0, LIMITS), 9, NOON, 1, 3);
    expect(describeDay(slept.toUsage(), LIMITS)).toBe(describeDay(day.toUsage(), LIMITS));
    expect(slept.toUsage().groups).toHaveLength(2);
  },
);

const anyDay = fc.record({
  aggregation: fc.constantFrom<Aggregation>("count", "sum", "max", "min", "latest", "unique"),
  said: fc.array(
    fc.record({
      value: fc.integer({ min: -50, max: 50 }),
      label: fc.constantFrom("a", "b", "c"),
      segments: fc.integer({ min: 0, max: 1 }),
      at: fc.integer({ min: -DAY_MS / 2, max: DAY_MS / 2 - 1 }),
      tie: fc.integer({ min: 0, max: 3 }),
    }),
    { minLength: 1, maxLength: 30 },
  ),
});

/** Ids are hashes, never negative. */
function valid({ aggregation, said }: { readonly aggregation: Aggregation; readonly said: readonly Said[] }): Said[] {
  // Two events of one time and one hash are one event.
  const once = new Map(said.map((one) => [`${one.at} ${one.tie}`, one]));
  return [...once.values()].map((one) => (aggregation === "unique" ? { ...one, value: Math.abs(one.value) } : one));
}

const WIDE = { ...LIMITS, groupsMax: 100, distinctGroupsMax: 100, latestGroupsMax: 100 };

test("a day says the same in every order, and whether it slept in between or not", () => {
  fc.assert(
    fc.property(anyDay, fc.infiniteStream(fc.nat()), (any, random) => {
      const said = valid(any);
      const order = said.map((one) => ({ one, key: Number(random.next().value) })).toSorted((a, b) => a.key - b.key);
      const fill = (all: readonly Said[], sleeps: boolean): UsageDay => {
        let day = MetricDay.empty("m", any.aggregation, DAY);
        for (const { value, label = "", segments = 0, at = 0, tie = 0 } of all) {
          day.add(day.group([label], segments, WIDE), value, NOON + at, tie, 1);
          if (sleeps) day = MetricDay.from(JSON.parse(day.toText()) as UsageDay);
        }
        return day.toUsage();
      };
      const first = describeDay(fill(said, false), WIDE);
      expect(
        describeDay(
          fill(
            order.map(({ one }) => one),
            true,
          ),
          WIDE,
        ),
      ).toBe(first);
    }),
  );
});

test("a day that was stored before there were aggregations and reasons goes on", () => {
  const stored = {
    metric_id: "m",
    day: DAY,
    version: 7,
    value: "12",
    events: 2,
    rejected: 3,
    last_at: NOON,
    groups: [{ labels: [], value: "12", events: 2, hours: { "12": "12" } }],
  };
  const day = MetricDay.from(stored);
  day.add(day.group([], 0, LIMITS), 5, NOON, 0, 8);
  day.reject("value_missing", { id: "a", at: NOON, found: "" }, 9);
  expect(day.toUsage()).toMatchObject({ value: "17", events: 3, rejected: 4, version: 9 });
});
