import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { boundaryOf, type CycleInterval, cycleAt, type Schedule } from "./cycle.ts";
import { zoned } from "./time-zone.ts";
import { DAY_MS, HOUR_MS } from "./timestamp.ts";

const at = (text: string): number => Date.parse(text);

function schedule(anchor: string, period: CycleInterval["period"], time_zone = "UTC", count = 1): Schedule {
  return { interval: { count, period }, anchor: at(anchor), time_zone };
}

/** A boundary as the zone's clock shows it, with its offset. */
function shown(of: Schedule, index: number): string {
  return zoned(boundaryOf(of, index), of.time_zone).toString({ timeZoneName: "never", smallestUnit: "minute" });
}

describe("a boundary is the anchor's clock plus whole intervals", () => {
  const lastOfJanuary = schedule("2026-01-31T00:00Z", "months");
  const leapDay = schedule("2024-02-29T00:00Z", "years");
  const lateJanuary = schedule("2026-01-29T02:30+01:00", "months", "Europe/Berlin");
  const earlier = schedule("2026-01-25T02:30+01:00", "months", "Europe/Berlin");
  const lordHowe = schedule("2026-01-04T02:15+11:00", "months", "Australia/Lord_Howe");
  const howeApril = schedule("2026-01-05T01:45+11:00", "months", "Australia/Lord_Howe");
  const samoa = schedule("2011-12-28T10:00-10:00", "days", "Pacific/Apia");
  const midnight = schedule("2026-04-01T00:00+02:00", "days", "Africa/Cairo");
  test.each<[what: string, of: Schedule, boundaries: Readonly<Record<number, string>>]>([
    [
      "V8: a short month takes its last day, and the next one the anchor's day again",
      lastOfJanuary,
      {
        [-2]: "2025-11-30T00:00+00:00",
        [-1]: "2025-12-31T00:00+00:00",
        0: "2026-01-31T00:00+00:00",
        1: "2026-02-28T00:00+00:00",
        2: "2026-03-31T00:00+00:00",
        3: "2026-04-30T00:00+00:00",
        4: "2026-05-31T00:00+00:00",
        25: "2028-02-29T00:00+00:00",
      },
    ],
    [
      "V8: a year without a leap day takes 28 February",
      leapDay,
      {
        [-1]: "2023-02-28T00:00+00:00",
        1: "2025-02-28T00:00+00:00",
        2: "2026-02-28T00:00+00:00",
        4: "2028-02-29T00:00+00:00",
        76: "2100-02-28T00:00+00:00",
      },
    ],
    [
      "V9: a local time that does not exist moves forward by the gap",
      lateJanuary,
      { 1: "2026-02-28T02:30+01:00", 2: "2026-03-29T03:30+02:00", 3: "2026-04-29T02:30+02:00" },
    ],
    [
      "V9: a local time that occurs twice is the first",
      earlier,
      { 2: "2026-03-25T02:30+01:00", 9: "2026-10-25T02:30+02:00", 10: "2026-11-25T02:30+01:00" },
    ],
    ["half an hour that is skipped moves the boundary by that half hour", lordHowe, { 9: "2026-10-04T02:45+11:00" }],
    ["half an hour that is repeated counts once", howeApril, { 3: "2026-04-05T01:45+11:00" }],
    [
      "a date that was skipped begins with the next one",
      samoa,
      {
        1: "2011-12-29T10:00-10:00",
        2: "2011-12-31T10:00+14:00",
        3: "2011-12-31T10:00+14:00",
        4: "2012-01-01T10:00+14:00",
      },
    ],
    [
      "a midnight that was skipped is one o'clock",
      midnight,
      { 22: "2026-04-23T00:00+02:00", 23: "2026-04-24T01:00+03:00", 24: "2026-04-25T00:00+03:00" },
    ],
    [
      "intervals of several periods",
      schedule("2025-11-30T00:00Z", "months", "UTC", 3),
      { 1: "2026-02-28T00:00+00:00", 2: "2026-05-30T00:00+00:00", 4: "2026-11-30T00:00+00:00" },
    ],
    [
      "a week keeps the clock across a change of summer time",
      schedule("2026-03-23T09:00+01:00", "weeks", "Europe/Berlin", 2),
      { 1: "2026-04-06T09:00+02:00", [-1]: "2026-03-09T09:00+01:00" },
    ],
  ])("%s", (_what, of, boundaries) => {
    for (const [index, expected] of Object.entries(boundaries)) expect(shown(of, Number(index))).toBe(expected);
  });
});

describe("the anchor itself is boundary 0, whichever of two equal local times it was", () => {
  test.each([
    ["the first", "2026-10-25T02:30+02:00", "2026-10-25T02:30+02:00"],
    ["the second", "2026-10-25T02:30+01:00", "2026-10-25T02:30+01:00"],
  ])("%s", (_what, anchor, expected) => {
    const of = schedule(anchor, "days", "Europe/Berlin");
    expect(shown(of, 0)).toBe(expected);
    expect(shown(of, -1)).toBe("2026-10-24T02:30+02:00");
    expect(shown(of, 1)).toBe("2026-10-26T02:30+01:00");
    expect(cycleAt(of, at(anchor))).toEqual({ index: 0, start: at(anchor), end: at("2026-10-26T02:30+01:00") });
    expect(cycleAt(of, at(anchor) - 1).index).toBe(-1);
  });
});

describe("an instant lies in the cycle that has begun and not ended", () => {
  const monthly = schedule("2026-01-31T00:00Z", "months");
  const yearly = schedule("2024-02-29T12:00Z", "years");
  const berlin = schedule("2026-01-29T02:30+01:00", "months", "Europe/Berlin");
  const decades = schedule("1984-05-31T08:15:30.123+02:00", "months", "Europe/Berlin");
  test.each<[of: Schedule, instant: string, index: number, start: string, end: string]>([
    [monthly, "2026-01-31T00:00Z", 0, "2026-01-31T00:00Z", "2026-02-28T00:00Z"],
    [monthly, "2026-02-27T23:59:59.999Z", 0, "2026-01-31T00:00Z", "2026-02-28T00:00Z"],
    [monthly, "2026-02-28T00:00Z", 1, "2026-02-28T00:00Z", "2026-03-31T00:00Z"],
    [monthly, "2026-03-30T23:59:59.999Z", 1, "2026-02-28T00:00Z", "2026-03-31T00:00Z"],
    [monthly, "2026-01-30T23:59:59.999Z", -1, "2025-12-31T00:00Z", "2026-01-31T00:00Z"],
    [monthly, "1970-01-01T00:00Z", -673, "1969-12-31T00:00Z", "1970-01-31T00:00Z"],
    [yearly, "2025-02-28T11:59:59.999Z", 0, "2024-02-29T12:00Z", "2025-02-28T12:00Z"],
    [yearly, "2025-02-28T12:00Z", 1, "2025-02-28T12:00Z", "2026-02-28T12:00Z"],
    [yearly, "2028-02-29T11:59:59.999Z", 3, "2027-02-28T12:00Z", "2028-02-29T12:00Z"],
    // 02:30 does not exist on 29 March: the cycle before lasts until 03:30.
    [berlin, "2026-03-29T03:29:59.999+02:00", 1, "2026-02-28T02:30+01:00", "2026-03-29T03:30+02:00"],
    [berlin, "2026-03-29T03:30+02:00", 2, "2026-03-29T03:30+02:00", "2026-04-29T02:30+02:00"],
    [decades, "2026-06-30T08:15:30.122+02:00", 504, "2026-05-31T08:15:30.123+02:00", "2026-06-30T08:15:30.123+02:00"],
    [decades, "2026-06-30T08:15:30.123+02:00", 505, "2026-06-30T08:15:30.123+02:00", "2026-07-31T08:15:30.123+02:00"],
  ])("%o: %s is in cycle %i", (of, instant, index, start, end) => {
    expect(cycleAt(of, at(instant))).toEqual({ index, start: at(start), end: at(end) });
  });

  test("a repeated hour belongs to one cycle, which it makes longer", () => {
    const daily = schedule("2026-10-20T02:30+02:00", "days", "Europe/Berlin");
    const span = cycleAt(daily, at("2026-10-25T02:30+01:00"));
    expect(span).toEqual(cycleAt(daily, at("2026-10-25T02:30+02:00")));
    expect(span.end - span.start).toBe(25 * HOUR_MS);
  });

  test("a cycle that a skipped date leaves empty is never returned", () => {
    const daily = schedule("2011-12-28T10:00-10:00", "days", "Pacific/Apia");
    const before = cycleAt(daily, at("2011-12-31T10:00+14:00") - 1);
    const after = cycleAt(daily, before.end);
    expect([before.index, after.index]).toEqual([1, 3]);
    expect(after).toEqual({ index: 3, start: before.end, end: before.end + DAY_MS });
  });

  test("an unknown zone is refused", () => {
    expect(() => cycleAt(schedule("2026-01-01T00:00Z", "days", "Mars/Olympus"), 0)).toThrow(RangeError);
  });
});

const ZONES = [
  "UTC",
  "Europe/Berlin",
  "America/New_York",
  "America/Santiago",
  "America/St_Johns",
  "Africa/Cairo",
  "Africa/Casablanca",
  "Asia/Kathmandu",
  "Asia/Tehran",
  "Australia/Lord_Howe",
  "Pacific/Apia",
  "Pacific/Kwajalein",
] as const;
const anyInstant = fc.integer({ min: at("1965-01-01T00:00Z"), max: at("2060-01-01T00:00Z") });
/** The half hours around days on which one of the zones changed its clock or its side of the date line. */
const oddInstant = fc
  .tuple(
    fc.constantFrom("1969-09-30", "1993-08-21", "2011-12-30", "2026-03-29", "2026-04-05", "2026-10-04", "2026-10-25"),
    fc.integer({ min: -96, max: 96 }),
  )
  .map(([date, halfHours]) => at(date) + (halfHours * HOUR_MS) / 2);
const instants = fc.oneof(anyInstant, oddInstant);
const schedules = fc.record({
  interval: fc.record({
    count: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 100 })),
    period: fc.constantFrom("days", "weeks", "months", "years"),
  }),
  anchor: instants,
  time_zone: fc.constantFrom(...ZONES),
});

test("cycles tile the line: each begins where the one before ends, and holds every instant in between", () => {
  fc.assert(
    fc.property(schedules, instants, (of, instant) => {
      const span = cycleAt(of, instant);
      expect(span.start).toBeLessThanOrEqual(instant);
      expect(span.end).toBeGreaterThan(instant);
      expect(cycleAt(of, span.start)).toEqual(span);
      expect(cycleAt(of, span.end - 1)).toEqual(span);
      const next = cycleAt(of, span.end);
      expect(next.start).toBe(span.end);
      expect(next.index).toBeGreaterThan(span.index);
      const previous = cycleAt(of, span.start - 1);
      expect(previous.end).toBe(span.start);
      expect(previous.index).toBeLessThan(span.index);
    }),
    { numRuns: 500 },
  );
});

test("boundaries never go back, and a cycle's are its own", () => {
  fc.assert(
    fc.property(schedules, instants, (of, instant) => {
      const { index, start, end } = cycleAt(of, instant);
      const around = [index - 1, index, index + 1, index + 2].map((n) => boundaryOf(of, n));
      expect(around).toEqual(around.toSorted((a, b) => a - b));
      expect(around.slice(1, 3)).toEqual([start, end]);
    }),
    { numRuns: 500 },
  );
});

test("a boundary shows the anchor's clock, unless a clock change moved it forward", () => {
  fc.assert(
    fc.property(schedules, fc.integer({ min: -40, max: 40 }), (of, index) => {
      const { interval, anchor, time_zone } = of;
      const clock = zoned(anchor, time_zone).toPlainDateTime();
      const due = clock.add({ [interval.period]: index * interval.count });
      const boundary = zoned(boundaryOf(of, index), time_zone);
      const moved = due.until(boundary.toPlainDateTime()).total("milliseconds");
      if (moved === 0) return;
      expect(moved).toBeGreaterThan(0);
      // It was moved by what the clock change skips that is at the boundary or just before it.
      const change = boundary.add({ milliseconds: 1 }).getTimeZoneTransition("previous") ?? expect.unreachable();
      const skipped = change.offsetNanoseconds - change.subtract({ milliseconds: 1 }).offsetNanoseconds;
      expect(moved).toBe(skipped / 1e6);
      expect(boundary.epochMilliseconds - change.epochMilliseconds).toBeLessThan(moved);
    }),
    { numRuns: 500 },
  );
});

test("centuries from its anchor, a cycle is still found", () => {
  const daily = schedule("1900-01-01T00:00Z", "days");
  const start = at("2400-01-01T00:00Z");
  const index = (start - daily.anchor) / DAY_MS;
  expect(cycleAt(daily, start + HOUR_MS)).toEqual({ index, start, end: start + DAY_MS });
});
