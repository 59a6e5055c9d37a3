import type { ProblemBody } from "@tidemark/contract";
import type { CustomerUsage } from "@tidemark/contract/customer-schema";
import type { TopCustomersAnswer } from "@tidemark/contract/report-schema";
import { type Aggregation, hash52 } from "@tidemark/core";
import { DAY_MS, dayOf, HOUR_MS } from "@tidemark/core/timestamp";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { addVersion } from "../../../test/add-version.ts";
import { compose, shown } from "../../../test/compose.ts";
import { json, makeMetric, makeProject, store, type TestProject, type Use } from "../../../test/fixture.ts";

const NOW = Date.parse("2026-11-21T15:30:00Z");
const BOUNDARY = NOW - 9 * DAY_MS - 4 * HOUR_MS;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
});

const AGGREGATIONS: readonly Aggregation[] = ["sum", "max", "min", "latest", "unique"];
const ZONES = ["UTC", "Europe/Berlin", "America/Los_Angeles"] as const;

const anyUse = fc.record({
  customer: fc.constantFrom("a", "b", "c", "d", "e", "f"),
  at: fc.integer({ min: 0, max: 70 * 24 * 6 }).map((ten) => NOW - ten * 600_000),
  value: fc.integer({ min: 1, max: 400 }),
});

function dateIn(timeZone: string, instant: number): string {
  const format = { timeZone, year: "numeric", month: "2-digit", day: "2-digit" } as const;
  return new Intl.DateTimeFormat("en-CA", format).format(instant);
}

async function makeMeasure(project: TestProject, aggregation: Aggregation): Promise<{ id: string; slug: string }> {
  const property = aggregation === "unique" ? { distinct_by: "u" } : { value_property: "n" };
  return makeMetric(project, { aggregation, ...property });
}

/** Some uses, kept by two versions of a metric, whose boundary cuts a day. */
async function fill(project: TestProject, metric: { id: string }, aggregation: Aggregation): Promise<readonly Use[]> {
  const uses = fc.sample(anyUse, { numRuns: 400, seed: 3 }).map((use, index) => ({ ...use, id: `e${index}` }));
  const counter = await addVersion(project, metric.id, {}, { effectiveFrom: BOUNDARY, shownFrom: BOUNDARY });
  await store(
    project,
    metric.id,
    uses.filter(({ at }) => at < BOUNDARY),
    1,
    aggregation,
  );
  await store(
    project,
    counter,
    uses.filter(({ at }) => at >= BOUNDARY),
    1,
    aggregation,
  );
  return uses;
}

describe.each(AGGREGATIONS)("top customers by %s", (aggregation) => {
  test.each(ZONES)("agree with the events, by days of %s, over two versions", async (zone) => {
    const project = await makeProject(zone);
    const metric = await makeMeasure(project, aggregation);
    const uses = await fill(project, metric, aggregation);
    const days = 30;
    const path = `GET /v1/reports/top-customers?metric=${metric.slug}&days=${days}&limit=4`;
    const report = await json<TopCustomersAnswer>(project, path);
    const dates = Array.from({ length: days }, (_, index) => dateIn(zone, NOW - (days - 1 - index) * DAY_MS));
    const of = (customer: string, wanted: readonly string[]): readonly Use[] =>
      uses.filter((use) => use.customer === customer && wanted.includes(dateIn(zone, use.at)));
    const expected = ["a", "b", "c", "d", "e", "f"]
      .map((customer) => ({ customer, own: of(customer, dates) }))
      .map(({ customer, own }) => ({ customer, own, total: compose(aggregation, own) ?? 0n }))
      .toSorted((left, right) => Number(right.total - left.total) || (left.customer < right.customer ? -1 : 1))
      .slice(0, 4)
      .map(({ customer, own, total }, index) => ({
        rank: index + 1,
        customer_id: customer,
        name: null,
        total: total.toString(),
        active_days: new Set(own.map(({ at }) => dateIn(zone, at))).size,
        last_seen_at: new Date(Math.max(...own.map(({ at }) => at))).toISOString().replace(".000Z", "Z"),
        series: dates.map((day) => ({ day, value: (compose(aggregation, of(customer, [day])) ?? 0n).toString() })),
      }));
    expect(report.data.map(({ trend: _trend, trend_detail: _detail, ...row }) => row)).toEqual(expected);
    expect(report.approximate).toBe(false);

    const before = Array.from({ length: days - 1 }, (_, index) => dateIn(zone, NOW - (59 - index) * DAY_MS));
    for (const row of report.data) {
      const [current, previous] = [dates.slice(0, -1), before].map((span) =>
        Number(compose(aggregation, of(row.customer_id, span)) ?? 0n),
      );
      expect(Number(row.trend_detail.change)).toBeCloseTo((current ?? 0) / (previous ?? 0) - 1, 4);
    }
  });

  test.each(ZONES)("are what each customer's own page says, by days of %s", async (zone) => {
    const project = await makeProject(zone);
    const metric = await makeMeasure(project, aggregation);
    const uses = await fill(project, metric, aggregation);
    const dates = Array.from({ length: 14 }, (_, index) => dateIn(zone, NOW - (13 - index) * DAY_MS));
    for (const customer of ["a", "b", "c"]) {
      const of = (wanted: readonly string[]): string | null =>
        shown(
          aggregation,
          uses.filter((use) => use.customer === customer && wanted.includes(dateIn(zone, use.at))),
        );
      const usage = await json<CustomerUsage>(project, `GET /v1/customers/${customer}/usage?days=7`);
      expect(usage.data).toMatchObject([
        {
          value: of(dates.slice(7)),
          previous: of(dates.slice(0, 7)),
          compared: { value: of(dates.slice(7, 13)), previous: of(dates.slice(0, 6)) },
          approximate: false,
          series: dates.slice(7).map((day) => ({ day, value: of([day]) })),
        },
      ]);
    }
  });
});

test("a customer's usage of what was never measured is null, and has no change", async () => {
  const project = await makeProject();
  const metric = await makeMeasure(project, "max");
  await store(project, metric.id, [{ customer: "a", at: NOW, value: 5 }], 1, "max");
  const usage = await json<CustomerUsage>(project, "GET /v1/customers/a/usage?days=7");
  expect(usage.data).toMatchObject([
    { value: "5", previous: null, change: null, compared: { value: null, previous: null } },
  ]);
  expect(usage.data[0]?.series.map(({ value }) => value)).toEqual([null, null, null, null, null, null, "5"]);
});

describe("a ranking by distinct count", () => {
  const daily = (customer: string, days: number, idsOn: (day: number) => readonly number[]): Use[] =>
    Array.from({ length: days }, (_, day) =>
      idsOn(day).map((id) => ({ customer, at: NOW - day * DAY_MS, value: hash52(String(id)) })),
    ).flat();
  const ids = (from: number, count: number): readonly number[] => Array.from({ length: count }, (_, i) => from + i);

  test("finds the customers with many different ids behind those who have the same ones every day", async () => {
    const project = await makeProject();
    const metric = await makeMeasure(project, "unique");
    const loyal = Array.from({ length: 120 }, (_, i) => daily(`loyal${i}`, 20, () => ids(0, 2)));
    const uses = [...loyal.flat(), ...daily("various", 13, (day) => ids(day * 3, 3)), ...daily("tiny", 1, () => [1])];
    await store(project, metric.id, uses, 1, "unique");
    const path = `GET /v1/reports/top-customers?metric=${metric.slug}&limit=3`;
    const report = await json<TopCustomersAnswer>(project, path);
    expect(report.data.map(({ customer_id, total }) => [customer_id, total])).toEqual([
      ["various", "39"],
      ["loyal0", "2"],
      ["loyal1", "2"],
    ]);
  });

  test("of many ids is an estimate within two per cent, and says so", async () => {
    const project = await makeProject();
    const metric = await makeMeasure(project, "unique");
    const uses = [...daily("big", 3, (day) => ids(day * 3_000, 6_000)), ...daily("small", 3, () => ids(0, 50))];
    await store(project, metric.id, uses, 1, "unique");
    const report = await json<TopCustomersAnswer>(project, `GET /v1/reports/top-customers?metric=${metric.slug}`);
    expect(report.approximate).toBe(true);
    const [big, small] = report.data;
    expect(Math.abs(Number(big?.total) / 12_000 - 1)).toBeLessThan(0.02);
    expect(small).toMatchObject({ customer_id: "small", total: "50" });
    const usage = await json<CustomerUsage>(project, "GET /v1/customers/big/usage?days=7");
    expect(usage.data[0]?.approximate).toBe(true);
    expect(usage.data[0]?.value).toBe(big?.total);
  });

  test("over more days than can be united asks for less", async () => {
    const project = await makeProject();
    const metric = await makeMeasure(project, "unique");
    await env.DB.prepare(
      `INSERT INTO usage_days (project_id, metric_id, day, customer_id, version, value, events, rejected, last_at, groups, ids)
       WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 50000)
       SELECT ?, ?, CAST(? AS INTEGER) - i / 20000, 'c' || (i % 20000), 1, 1, 1, 0, 0, '[]', '{"ids":[' || i || ',1]}' FROM n`,
    )
      .bind(project.id, metric.id, dayOf(NOW))
      .run();
    const path = `GET /v1/usage?metric=${metric.slug}&from=2026-11-19&to=2026-11-22`;
    const problem = await json<ProblemBody>(project, path, { status: 400 });
    expect(problem.errors).toMatchObject([{ pointer: "/customer_id", code: "too_many_rows" }]);
    const one = await json<{ data: { value: string }[] }>(project, path.replace("19", "21"));
    expect(one.data.map(({ value }) => value)).toEqual(["20000"]);
  });
});
