import { decidedCounter } from "@tidemark/contract";
import type { ComparedAnswer, DormantAnswer } from "@tidemark/contract/report-schema";
import type { Aggregation } from "@tidemark/core";
import { DAY_MS, HOUR_MS } from "@tidemark/core/timestamp";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { addVersion } from "../../../test/add-version.ts";
import { compose } from "../../../test/compose.ts";
import { json, makeMetric, makeProject, store, type TestProject, type Use } from "../../../test/fixture.ts";

const NOW = Date.parse("2026-11-21T15:30:00Z");
const BOUNDARY = NOW - 9 * DAY_MS - 4 * HOUR_MS;
const ZONES = ["UTC", "Europe/Berlin", "America/Los_Angeles"] as const;
const AGGREGATIONS: readonly Aggregation[] = ["count", "sum", "max", "min", "latest", "unique"];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
});

function dateIn(timeZone: string, instant: number): string {
  const format = { timeZone, year: "numeric", month: "2-digit", day: "2-digit" } as const;
  return new Intl.DateTimeFormat("en-CA", format).format(instant);
}

/** The dates from so many days ago to so many, both included. */
function datesAgo(zone: string, from: number, to: number): readonly string[] {
  return Array.from({ length: from - to + 1 }, (_, index) => dateIn(zone, NOW - (from - index) * DAY_MS));
}

function instantText(at: number): string {
  return new Date(at).toISOString().replace(".000Z", "Z");
}

async function makeMeasure(project: TestProject, aggregation: Aggregation): Promise<{ id: string; slug: string }> {
  const property =
    aggregation === "count" ? {} : aggregation === "unique" ? { distinct_by: "u" } : { value_property: "n" };
  return makeMetric(project, { aggregation, ...property });
}

/** Uses of many customers, each of whom came and went at other times, kept by two versions, and in part decided. */
async function fill(project: TestProject, metric: { id: string }, aggregation: Aggregation): Promise<readonly Use[]> {
  const life = fc.record({
    first: fc.integer({ min: 0, max: 75 * 24 }),
    last: fc.integer({ min: 0, max: 40 * 24 }),
    events: fc.integer({ min: 1, max: 30 }),
    values: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 30, maxLength: 30 }),
    spread: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 30, maxLength: 30 }),
  });
  const uses = fc.sample(life, { numRuns: 40, seed: 7 }).flatMap(({ first, last, events, values, spread }, who) =>
    Array.from({ length: events }, (_, index) => ({
      customer: `c${who}`,
      at: NOW - Math.floor((last + Math.abs(first - last) * (spread[index] ?? 0)) * 6) * 600_000,
      value: aggregation === "count" ? 1 : (values[index] ?? 1),
      id: `e${who}-${index}`,
    })),
  );
  const counter = await addVersion(project, metric.id, {}, { effectiveFrom: BOUNDARY, shownFrom: BOUNDARY });
  const isDecided = ({ at }: Use): boolean => at % 5 === 0 && at % 3 === 0;
  const kept = [
    [metric.id, uses.filter(({ at }) => at < BOUNDARY)],
    [counter, uses.filter((use) => use.at >= BOUNDARY && !isDecided(use))],
    [decidedCounter(counter), uses.filter((use) => use.at >= BOUNDARY && isDecided(use))],
  ] as const;
  for (const [counterId, own] of kept) await store(project, counterId, own, 1, aggregation);
  return uses;
}

interface Expected {
  readonly customer_id: string;
  readonly value: bigint | undefined;
  readonly previous: bigint;
}

/** Who changed, by the events alone. */
function compareSlowly(
  uses: readonly Use[],
  aggregation: Aggregation,
  zone: string,
  periods: { readonly current: readonly string[]; readonly previous: readonly string[] },
): readonly Expected[] {
  return [...Map.groupBy(uses, ({ customer }) => customer)].flatMap(([customer_id, own]) => {
    const over = (dates: readonly string[]): bigint | undefined =>
      compose(
        aggregation,
        own.filter(({ at }) => dates.includes(dateIn(zone, at))),
      );
    const previous = over(periods.previous);
    return previous === undefined ? [] : [{ customer_id, value: over(periods.current), previous }];
  });
}

function toRow({ customer_id, value, previous }: Expected, uses: readonly Use[], aggregation: Aggregation) {
  const isMeasure = aggregation === "max" || aggregation === "min" || aggregation === "latest";
  return {
    customer_id,
    name: null,
    value: value?.toString() ?? (isMeasure ? null : "0"),
    previous: previous.toString(),
    last_seen_at: instantText(Math.max(...uses.filter(({ customer }) => customer === customer_id).map(({ at }) => at))),
  };
}

describe.each(AGGREGATIONS)("by %s", (aggregation) => {
  test.each(ZONES)("growing and dropping agree with the events, by days of %s", async (zone) => {
    const project = await makeProject(zone);
    const metric = await makeMeasure(project, aggregation);
    const uses = await fill(project, metric, aggregation);
    const periods = {
      growing: { days: 30, current: datesAgo(zone, 29, 1), previous: datesAgo(zone, 59, 31) },
      dropping: { days: 14, current: datesAgo(zone, 14, 1), previous: datesAgo(zone, 28, 15) },
    };
    for (const name of ["growing", "dropping"] as const) {
      const { days, current, previous } = periods[name];
      const path = `GET /v1/reports/${name}?metric=${metric.slug}&days=${days}&limit=100`;
      const report = await json<ComparedAnswer>(project, path);
      expect(report).toMatchObject({
        report: name,
        from: current[0],
        to: current.at(-1),
        previous_from: previous[0],
        previous_to: previous.at(-1),
        time_zone: zone,
        as_of: instantText(NOW),
      });
      const isUp = name === "growing";
      const ratio = ({ value = 0n, previous: before }: Expected): number => Number(value) / Number(before);
      const expected = compareSlowly(uses, aggregation, zone, { current, previous })
        .filter((one) => (isUp ? ratio(one) > 1.3 : ratio(one) < 0.5))
        .toSorted(
          (a, b) =>
            (isUp ? ratio(b) - ratio(a) : ratio(a) - ratio(b)) ||
            Number(b.previous - a.previous) ||
            (a.customer_id < b.customer_id ? -1 : 1),
        );
      expect(expected.length).toBeGreaterThan(0);
      expect(report.data.map(({ rank: _rank, change: _change, ...row }) => row)).toEqual(
        expected.map((one) => toRow(one, uses, aggregation)),
      );
      expect(report.count).toBe(expected.length);
      report.data.forEach(({ rank, change }, index) => {
        const one = expected[index];
        expect(rank).toBe(index + 1);
        expect(Number(change)).toBeCloseTo(one === undefined ? NaN : ratio(one) - 1, 4);
      });
    }
  });

  test.each(ZONES)("dormant agrees with the events, by days of %s", async (zone) => {
    const project = await makeProject(zone);
    const metric = await makeMeasure(project, aggregation);
    const uses = await fill(project, metric, aggregation);
    const report = await json<DormantAnswer>(project, `GET /v1/reports/dormant?metric=${metric.slug}&limit=100`);
    const dates = datesAgo(zone, 37, 0);
    expect(report).toMatchObject({ days: 30, from: dates[0], to: dates.at(-1), time_zone: zone });
    const expected = [...Map.groupBy(uses, ({ customer }) => customer)]
      .flatMap(([customer_id, own]) => {
        const inside = own.filter(({ at }) => dates.includes(dateIn(zone, at)));
        const last = Math.max(...inside.map(({ at }) => at));
        const total = compose(aggregation, inside);
        return total === undefined || NOW - last < 7 * DAY_MS ? [] : [{ customer_id, inside, last, total }];
      })
      .toSorted((a, b) => Number(b.total - a.total) || (a.customer_id < b.customer_id ? -1 : 1));
    expect(expected.length).toBeGreaterThan(0);
    expect(report.count).toBe(expected.length);
    expect(report.data).toEqual(
      expected.map(({ customer_id, inside, last, total }, index) => ({
        rank: index + 1,
        customer_id,
        name: null,
        total: total.toString(),
        active_days: new Set(inside.map(({ at }) => dateIn(zone, at))).size,
        last_seen_at: instantText(last),
        silent_days: Math.floor((NOW - last) / DAY_MS),
      })),
    );
  });
});
