import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bucketAt, bucketsOf, type Grain, intervalStart, lastDays, type Span } from "./buckets.ts";
import { HOUR_MS } from "./timestamp.ts";

const at = (text: string): number => Date.parse(text);

function show(buckets: readonly Span[]): string[] {
  return buckets.map(({ start, end }) => `${iso(start)}/${iso(end)}`);
}

function iso(instant: number): string {
  return new Date(instant).toISOString().slice(0, 16);
}

describe("a span is cut", () => {
  const cases: readonly [what: string, from: string, to: string, grain: Grain, zone: string, expected: string[]][] = [
    [
      "into hours",
      "2026-11-01T10:00Z",
      "2026-11-01T12:00Z",
      "hour",
      "UTC",
      ["2026-11-01T10:00/2026-11-01T11:00", "2026-11-01T11:00/2026-11-01T12:00"],
    ],
    [
      "into days of UTC",
      "2026-10-31T00:00Z",
      "2026-11-02T00:00Z",
      "day",
      "UTC",
      ["2026-10-31T00:00/2026-11-01T00:00", "2026-11-01T00:00/2026-11-02T00:00"],
    ],
    [
      "at the span's own ends",
      "2026-11-01T10:00Z",
      "2026-11-02T03:00Z",
      "day",
      "UTC",
      ["2026-11-01T10:00/2026-11-02T00:00", "2026-11-02T00:00/2026-11-02T03:00"],
    ],
    [
      "around the day of 23 hours in Berlin",
      "2026-03-28T23:00Z",
      "2026-03-30T22:00Z",
      "day",
      "Europe/Berlin",
      ["2026-03-28T23:00/2026-03-29T22:00", "2026-03-29T22:00/2026-03-30T22:00"],
    ],
    [
      "around the day of 25 hours in Berlin",
      "2026-10-24T22:00Z",
      "2026-10-26T23:00Z",
      "day",
      "Europe/Berlin",
      ["2026-10-24T22:00/2026-10-25T23:00", "2026-10-25T23:00/2026-10-26T23:00"],
    ],
    [
      "into weeks that begin on Monday",
      "2026-11-01T00:00Z",
      "2026-11-16T00:00Z",
      "week",
      "UTC",
      ["2026-11-01T00:00/2026-11-02T00:00", "2026-11-02T00:00/2026-11-09T00:00", "2026-11-09T00:00/2026-11-16T00:00"],
    ],
    [
      "into a week that begins in the year before",
      "2026-12-28T00:00Z",
      "2027-01-04T00:00Z",
      "week",
      "UTC",
      ["2026-12-28T00:00/2027-01-04T00:00"],
    ],
    [
      "into months of every length",
      "2028-01-01T00:00Z",
      "2028-04-01T00:00Z",
      "month",
      "UTC",
      ["2028-01-01T00:00/2028-02-01T00:00", "2028-02-01T00:00/2028-03-01T00:00", "2028-03-01T00:00/2028-04-01T00:00"],
    ],
    [
      "into months of a zone whose offset changes",
      "2026-02-28T23:00Z",
      "2026-04-30T22:00Z",
      "month",
      "Europe/Berlin",
      ["2026-02-28T23:00/2026-03-31T22:00", "2026-03-31T22:00/2026-04-30T22:00"],
    ],
    [
      "without the date that Samoa skipped",
      "2011-12-29T10:00Z",
      "2011-12-31T10:00Z",
      "day",
      "Pacific/Apia",
      ["2011-12-29T10:00/2011-12-30T10:00", "2011-12-30T10:00/2011-12-31T10:00"],
    ],
    [
      "where midnight is skipped",
      "2026-04-23T22:00Z",
      "2026-04-24T21:00Z",
      "day",
      "Africa/Cairo",
      ["2026-04-23T22:00/2026-04-24T21:00"],
    ],
  ];
  test.each(cases)("%s", (_what, from, to, grain, zone, expected) => {
    expect(show(bucketsOf({ start: at(from), end: at(to) }, grain, zone))).toEqual(expected);
  });
});

const ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Tokyo", "Pacific/Auckland", "America/Santiago"];

/** What a zone's clock shows, by another way than the code takes. */
function wallClock(instant: number, timeZone: string): { date: string; weekday: string; hour: string } {
  const parts = new Intl.DateTimeFormat("en-CA", {
    timeZone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    weekday: "short",
    hour: "2-digit",
    hourCycle: "h23",
  }).formatToParts(instant);
  const part = (type: string): string => parts.find((one) => one.type === type)?.value ?? "";
  return { date: `${part("year")}-${part("month")}-${part("day")}`, weekday: part("weekday"), hour: part("hour") };
}

test("buckets cover the span without gap or overlap, and an hour lies in the bucket that its clock names", () => {
  const hour = fc.integer({ min: at("2024-01-01T00:00Z") / HOUR_MS, max: at("2028-01-01T00:00Z") / HOUR_MS });
  const anySpan = fc.record({ first: hour, hours: fc.integer({ min: 1, max: 24 * 70 }) });
  fc.assert(
    fc.property(
      anySpan,
      fc.constantFrom<Grain>("day", "week", "month"),
      fc.constantFrom(...ZONES),
      ({ first, hours }, grain, zone) => {
        const span = { start: first * HOUR_MS, end: (first + hours) * HOUR_MS };
        const buckets = bucketsOf(span, grain, zone);
        expect(buckets[0]?.start).toBe(span.start);
        expect(buckets.at(-1)?.end).toBe(span.end);
        for (const [index, { start, end }] of buckets.entries()) {
          expect(end).toBeGreaterThan(start);
          if (index === 0) continue;
          expect(start).toBe(buckets[index - 1]?.end);
          const before = wallClock(start - HOUR_MS, zone);
          const from = wallClock(start, zone);
          expect(from.date).not.toBe(before.date);
          if (grain === "week") expect(from.weekday).toBe("Mon");
          if (grain === "month") expect(from.date).toMatch(/-01$/);
        }
        const days = new Set<string>();
        for (let instant = span.start; instant < span.end; instant += HOUR_MS) days.add(wallClock(instant, zone).date);
        if (grain === "day") expect(buckets).toHaveLength(days.size);
      },
    ),
    { numRuns: 60 },
  );
});

test("a bucket is found by any instant in it", () => {
  const instant = at("2026-10-25T12:34:56Z");
  expect(show([bucketAt(instant, "hour", "UTC")])).toEqual(["2026-10-25T12:00/2026-10-25T13:00"]);
  expect(show([bucketAt(instant, "day", "Europe/Berlin")])).toEqual(["2026-10-24T22:00/2026-10-25T23:00"]);
  expect(show([bucketAt(instant, "week", "Europe/Berlin")])).toEqual(["2026-10-18T22:00/2026-10-25T23:00"]);
  expect(show([bucketAt(instant, "month", "Europe/Berlin")])).toEqual(["2026-09-30T22:00/2026-10-31T23:00"]);
});

describe("an interval reaches back", () => {
  test.each([
    [{ count: 7, period: "days" }, "2026-11-15T00:00"],
    [{ count: 2, period: "weeks" }, "2026-11-08T00:00"],
    [{ count: 1, period: "months" }, "2026-10-22T00:00"],
    [{ count: 1, period: "years" }, "2025-11-22T00:00"],
  ] as const)("%j from 21 November 2026", (interval, expected) => {
    expect(iso(intervalStart(at("2026-11-21T15:00Z"), interval, "UTC"))).toBe(expected);
  });
});

test("the last days end with today, which is whole although it is not over", () => {
  const days = lastDays(at("2026-10-26T09:00Z"), 3, "Europe/Berlin");
  expect(show(days)).toEqual([
    "2026-10-23T22:00/2026-10-24T22:00",
    "2026-10-24T22:00/2026-10-25T23:00",
    "2026-10-25T23:00/2026-10-26T23:00",
  ]);
});
