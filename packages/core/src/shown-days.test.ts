import { expect, test } from "vitest";
import { shownDays } from "./shown-days.ts";
import { DAY_MS, HOUR_MS } from "./timestamp.ts";

const DAY = 20_000;
const at = (day: number, hour = 0): number => day * DAY_MS + hour * HOUR_MS;

test("a metric that never changed is shown by its only version, always", () => {
  expect(shownDays([null])).toEqual([{ first: -Infinity, last: Infinity }]);
});

test("two versions share the day that a boundary cuts, and no other", () => {
  expect(shownDays([null, at(DAY, 15)])).toEqual([
    { first: -Infinity, last: DAY },
    { first: DAY, last: Infinity },
  ]);
  expect(shownDays([null, at(DAY)])).toEqual([
    { first: -Infinity, last: DAY - 1 },
    { first: DAY, last: Infinity },
  ]);
  expect(shownDays([null, at(DAY, 1), at(DAY, 2)])).toEqual([
    { first: -Infinity, last: DAY },
    { first: DAY, last: DAY },
    { first: DAY, last: Infinity },
  ]);
});

test("a version that was counted from before another one takes its place", () => {
  expect(shownDays([null, at(DAY), at(DAY - 5)])).toEqual([
    { first: -Infinity, last: DAY - 6 },
    null,
    { first: DAY - 5, last: Infinity },
  ]);
  expect(shownDays([null, at(DAY), at(DAY)])).toEqual([
    { first: -Infinity, last: DAY - 1 },
    null,
    { first: DAY, last: Infinity },
  ]);
  expect(shownDays([null, at(DAY), null])).toEqual([null, null, { first: -Infinity, last: Infinity }]);
});
