import { expect, test } from "vitest";
import { DAY_MS, HOUR_MS } from "./timestamp.ts";
import { classifyTrend, type Trend, TREND_RULES, TREND_RULES_VERSION, type TrendInput } from "./trend.ts";

const now = Date.UTC(2026, 10, 21, 2, 5);

/** A customer of long standing who used the same as ever, minutes ago. */
const regular: TrendInput = {
  now,
  firstSeenAt: now - 400 * DAY_MS,
  lastSeenAt: now - 2 * 60_000,
  activeDays: 30,
  windowDays: 30,
  current: 1000,
  previous: 1000,
  last7: 250,
  previous7: 250,
};

type Case = readonly [title: string, input: Partial<TrendInput>, trend: Trend];

const ago = (ms: number): number => now - ms;

test.for<Case>([
  ["a first event a millisecond short of 14 days ago", { firstSeenAt: ago(14 * DAY_MS - 1) }, "new"],
  ["a first event exactly 14 days ago", { firstSeenAt: ago(14 * DAY_MS) }, "steady"],
  [
    "a first event that a client's clock put ahead of ours",
    { firstSeenAt: now + 60_000, lastSeenAt: now + 60_000 },
    "new",
  ],
  ["a first event nobody knows", { firstSeenAt: null }, "steady"],

  ["a silence of exactly 7 days", { lastSeenAt: ago(7 * DAY_MS), activeDays: 8 }, "dormant"],
  [
    "a silence a millisecond short of 7 days, rarely active",
    { lastSeenAt: ago(7 * DAY_MS - 1), activeDays: 8 },
    "steady",
  ],

  [
    "a silence of exactly 36 hours, active on 24 of 30 days",
    { lastSeenAt: ago(36 * HOUR_MS), activeDays: 24 },
    "check_in",
  ],
  ["a silence a millisecond short of 36 hours", { lastSeenAt: ago(36 * HOUR_MS - 1), activeDays: 30 }, "steady"],
  ["a silence of 36 hours, active on 23 of 30 days", { lastSeenAt: ago(36 * HOUR_MS), activeDays: 23 }, "steady"],
  [
    "16 active days of the 20 since the first event",
    { firstSeenAt: ago(19 * DAY_MS), lastSeenAt: ago(40 * HOUR_MS), activeDays: 16 },
    "check_in",
  ],
  [
    "15 active days of the 20 since the first event",
    { firstSeenAt: ago(19 * DAY_MS), lastSeenAt: ago(40 * HOUR_MS), activeDays: 15 },
    "steady",
  ],

  ["the last 7 days at exactly half of the 7 before", { last7: 500, previous7: 1000 }, "check_in"],
  ["the last 7 days a unit above half", { last7: 501, previous7: 1000 }, "steady"],
  ["nothing in the last 7 days nor in the 7 before", { last7: 0, previous7: 0 }, "steady"],
  ["more taken back than used in the 7 days before", { last7: -10, previous7: -5 }, "steady"],
  ["half, beyond what a double can tell apart", { last7: 4503599627370497n, previous7: 9007199254740993n }, "steady"],

  ["exactly 30% more", { current: 1300, previous: 1000 }, "growing"],
  ["a unit short of 30% more", { current: 1299, previous: 1000 }, "steady"],
  ["exactly 30% less", { current: 700, previous: 1000 }, "declining"],
  ["a unit short of 30% less", { current: 701, previous: 1000 }, "steady"],
  ["usage where there was none", { current: 5000, previous: 0 }, "steady"],
  ["from −100 to +50", { current: 50, previous: -100 }, "growing"],
  [
    "30% more, beyond what a double can tell apart",
    { current: 11709359031163291n, previous: 9007199254740993n },
    "growing",
  ],
  ["a unit less than that", { current: 11709359031163290n, previous: 9007199254740993n }, "steady"],
] as const)("%s: %s → %s", ([, input, trend]) => {
  expect(classifyTrend({ ...regular, ...input }).trend).toBe(trend);
});

test.for<Case>([
  ["new before dormant", { firstSeenAt: ago(10 * DAY_MS), lastSeenAt: ago(9 * DAY_MS) }, "new"],
  ["new before growing", { firstSeenAt: ago(10 * DAY_MS), current: 900, previous: 1 }, "new"],
  ["dormant before check in", { lastSeenAt: ago(8 * DAY_MS), last7: 0, previous7: 900 }, "dormant"],
  ["check in before growing", { lastSeenAt: ago(40 * HOUR_MS), current: 2000, previous: 1000 }, "check_in"],
  ["check in before declining", { current: 100, previous: 1000, last7: 10, previous7: 90 }, "check_in"],
] as const)("the first rule that matches decides: %s", ([, input, trend]) => {
  expect(classifyTrend({ ...regular, ...input }).trend).toBe(trend);
});

test.for([
  [1020, 1000, "0.02"],
  [1000, 1000, "0"],
  [0, 1000, "-1"],
  [1, 0, null],
  [2, 3, "-0.3333"],
  [5, 3, "0.6667"],
  [100_005, 100_000, "0.0001"],
  [99_995, 100_000, "-0.0001"],
  [100_004, 100_000, "0"],
  [50, -100, "1.5"],
  [9223372036854775807n, 1, "9223372036854775806"],
] as const)("the change from %s after %s is exact to four places: %s", ([current, previous, change]) => {
  expect(classifyTrend({ ...regular, current, previous }).change).toBe(change);
});

test.for<readonly [Partial<TrendInput>, string]>([
  [{ firstSeenAt: ago(5 * DAY_MS) }, "The first event was 5 days ago; a customer is new for 14 days."],
  [{ firstSeenAt: ago(60_000) }, "The first event was less than an hour ago; a customer is new for 14 days."],
  [{ lastSeenAt: ago(12 * DAY_MS) }, "No event for 12 days; 7 days of silence are dormant."],
  [
    { lastSeenAt: ago(48 * HOUR_MS), activeDays: 28 },
    "No event for 48 hours after being active on 28 of 30 days; from 80% of the days, 36 hours are a reason to ask.",
  ],
  [
    { last7: 412, previous7: 1000 },
    "The last 7 days came to 41.2% of the 7 days before; 50% or less is a reason to ask.",
  ],
  [{ current: 1342, previous: 1000 }, "Up 34.2% on the equal period before; 30% or more is growing."],
  [{ current: 579, previous: 1000 }, "Down 42.1% on the equal period before; 30% or more is declining."],
  [{ current: 129_999, previous: 100_000 }, "Up 29.9% on the equal period before; less than 30% is steady."],
  [{ current: 100_001, previous: 100_000 }, "Up less than 0.1% on the equal period before; less than 30% is steady."],
  [{}, "The same as in the equal period before."],
  [{ previous: 0 }, "Nothing was used in the equal period before, so there is no change to judge."],
])("the rule names the numbers that decided: %#", ([input, rule]) => {
  expect(classifyTrend({ ...regular, ...input }).rule).toBe(rule);
});

test("a verdict carries its stars and the version of the rules", () => {
  const verdicts = [{ lastSeenAt: ago(12 * DAY_MS) }, { last7: 1 }, {}].map((input) =>
    classifyTrend({ ...regular, ...input }),
  );
  expect(verdicts.map(({ stars }) => stars)).toEqual([2, 1, 0]);
  expect(verdicts.every(({ version }) => version === TREND_RULES_VERSION)).toBe(true);
});

test("the printed rules name the classes in the order in which they are tried", () => {
  expect(TREND_RULES.map(({ trend }) => trend)).toEqual([
    "new",
    "dormant",
    "check_in",
    "growing",
    "declining",
    "steady",
  ]);
});
