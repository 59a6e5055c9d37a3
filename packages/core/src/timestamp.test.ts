import fc from "fast-check";
import { expect, test } from "vitest";
import { dayOf, hourOf, parseTimestamp, toInstant } from "./timestamp.ts";

test("every instant that JavaScript prints reads back", () => {
  const dates = fc.date({
    min: new Date("0000-01-01T00:00:00Z"),
    max: new Date("9999-12-31T23:59:59.999Z"),
    noInvalidDate: true,
  });
  fc.assert(
    fc.property(dates, (date) => {
      expect(parseTimestamp(date.toISOString())).toBe(date.getTime());
    }),
  );
});

test.each([
  ["2026-11-01T12:00:00Z", Date.UTC(2026, 10, 1, 12)],
  ["2026-11-01t12:00:00z", Date.UTC(2026, 10, 1, 12)],
  ["2026-11-01T12:00:00.1Z", Date.UTC(2026, 10, 1, 12, 0, 0, 100)],
  ["2026-11-01T12:00:00.123999Z", Date.UTC(2026, 10, 1, 12, 0, 0, 123)],
  ["2026-11-01T12:00:00+05:30", Date.UTC(2026, 10, 1, 6, 30)],
  ["2026-11-01T00:00:00-00:00", Date.UTC(2026, 10, 1)],
  ["2024-02-29T00:00:00Z", Date.UTC(2024, 1, 29)],
  ["2000-02-29T00:00:00Z", Date.UTC(2000, 1, 29)],
])("%s is a time", (text, instant) => {
  expect(parseTimestamp(text)).toBe(instant);
});

test.each([
  "",
  "now",
  "2026-11-01",
  "2026-11-01T12:00:00",
  "2026-11-01 12:00:00Z",
  "2026-13-01T00:00:00Z",
  "2026-00-01T00:00:00Z",
  "2026-04-31T00:00:00Z",
  "2026-02-29T00:00:00Z",
  "1900-02-29T00:00:00Z",
  "2026-11-01T24:00:00Z",
  "2026-11-01T12:60:00Z",
  "2026-11-01T12:00:60Z",
  "2026-11-01T12:00Z",
  "2026-11-01T12:00:00.Z",
  "2026-11-01T12:00:00+0530",
  "2026-11-01T12:00:00+24:00",
  "2026-11-01T12:00:00Z ",
  "2026-11-0aT12:00:00Z",
  "20261101T120000Z0000",
])("%j is not a time", (text) => {
  expect(parseTimestamp(text)).toBeNaN();
});

test.each([
  [1_762_000_000, 1_762_000_000_000],
  [1_762_000_000.25, 1_762_000_000_250],
  [1_762_000_000_123, 1_762_000_000_123],
  [0, 0],
  [-1, NaN],
  [1e18, NaN],
  [true, NaN],
  [null, NaN],
])("the number %s is the instant %s", (value, instant) => {
  expect(toInstant(value)).toBe(instant);
});

test("days and hours are those of UTC", () => {
  const instant = Date.UTC(2026, 10, 1, 23, 59, 59, 999);
  expect([dayOf(instant), hourOf(instant), dayOf(instant + 1), hourOf(instant + 1)]).toEqual([20758, 23, 20759, 0]);
});
