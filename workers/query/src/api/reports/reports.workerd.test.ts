import type { ProblemBody } from "@tidemark/contract";
import type { TopCustomersAnswer } from "@tidemark/contract/report-schema";
import { DAY_MS, HOUR_MS } from "@tidemark/core/timestamp";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  call,
  insertDay,
  json,
  makeMetric,
  makeProject,
  store,
  toDays,
  total,
  type Use,
} from "../../../test/fixture.ts";

const NOW = Date.parse("2026-11-21T15:30:00Z");

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
});

/** An instant some days before now, at the same time of day. */
function daysAgo(days: number, hours = 0): number {
  return NOW - days * DAY_MS - hours * HOUR_MS;
}

function dateIn(timeZone: string, instant: number): string {
  return new Intl.DateTimeFormat("en-CA", { timeZone, year: "numeric", month: "2-digit", day: "2-digit" }).format(
    instant,
  );
}

describe("top customers", () => {
  test.each(["UTC", "Europe/Berlin", "America/Los_Angeles"])("agrees with the events, by days of %s", async (zone) => {
    const project = await makeProject(zone);
    const metric = await makeMetric(project, { aggregation: "sum", value_property: "n", group_by: ["model"] });
    const anyUse = fc.record({
      customer: fc.constantFrom("a", "b", "c", "d", "e", "f"),
      at: fc.integer({ min: 0, max: 70 * 24 * 60 }).map((minutes) => NOW - minutes * 60_000),
      value: fc.integer({ min: 1, max: 1_000 }),
      labels: fc.tuple(fc.constantFrom("x", "y")),
    });
    const uses: Use[] = fc.sample(anyUse, { numRuns: 500, seed: 3 });
    await store(project, metric.id, uses);
    const days = 30;
    const report = await json<TopCustomersAnswer>(
      project,
      `GET /v1/reports/top-customers?metric=${metric.slug}&days=${days}&limit=4`,
    );

    const dates = Array.from({ length: days }, (_, index) => dateIn(zone, NOW - (days - 1 - index) * DAY_MS));
    expect(report).toMatchObject({
      report: "top-customers",
      metric: "api_requests",
      name: "API requests",
      unit: "events",
      days,
      time_zone: zone,
      from: dates[0],
      to: dates.at(-1),
      incomplete_day: "2026-11-21",
      as_of: "2026-11-21T15:30:00Z",
      approximate: false,
    });
    const inside = uses.filter((use) => dates.includes(dateIn(zone, use.at)));
    const expected = [...Map.groupBy(inside, ({ customer }) => customer)]
      .map(([customer, own]) => ({ customer, own, sum: total(own) }))
      .toSorted((left, right) => Number(right.sum - left.sum) || (left.customer < right.customer ? -1 : 1))
      .slice(0, 4)
      .map(({ customer, own, sum }, index) => ({
        rank: index + 1,
        customer_id: customer,
        name: null,
        total: sum.toString(),
        active_days: new Set(own.map(({ at }) => dateIn(zone, at))).size,
        last_seen_at: new Date(Math.max(...own.map(({ at }) => at))).toISOString().replace(".000Z", "Z"),
        series: dates.map((day) => ({
          day,
          value: total(own.filter(({ at }) => dateIn(zone, at) === day)).toString(),
        })),
      }));
    expect(report.data.map(({ trend: _trend, trend_detail: _detail, ...row }) => row)).toEqual(expected);

    // The change compares the 29 whole days with the first 29 days of the 30 before.
    const before = Array.from({ length: 29 }, (_, index) => dateIn(zone, NOW - (59 - index) * DAY_MS));
    for (const row of report.data) {
      const own = uses.filter(({ customer }) => customer === row.customer_id);
      const of = (wanted: readonly string[]) =>
        Number(total(own.filter(({ at }) => wanted.includes(dateIn(zone, at)))));
      expect(Number(row.trend_detail.change)).toBeCloseTo(of(dates.slice(0, -1)) / of(before) - 1, 4);
    }
  });

  test("puts equals in the order of their ids, and beyond 64 bits still knows who is first", async () => {
    const project = await makeProject();
    const metric = await makeMetric(project, { aggregation: "sum", value_property: "n" });
    const huge = 9_223_372_036_854_775_807n;
    await store(project, metric.id, [
      ...["zeta", "Alpha", "beta"].map((customer) => ({ customer, at: daysAgo(1), value: 5 })),
      { customer: "big", at: daysAgo(1), value: huge },
      { customer: "bigger", at: daysAgo(1), value: huge },
      { customer: "bigger", at: daysAgo(2), value: 1 },
      { customer: "biggest", at: daysAgo(1), value: huge },
      { customer: "biggest", at: daysAgo(2), value: huge },
    ]);
    const report = await json<TopCustomersAnswer>(project, `GET /v1/reports/top-customers?metric=${metric.slug}`);
    expect(report.data.map(({ customer_id, total: sum }) => [customer_id, sum])).toEqual([
      ["biggest", (2n * huge).toString()],
      ["bigger", (huge + 1n).toString()],
      ["big", huge.toString()],
      ["Alpha", "5"],
      ["beta", "5"],
      ["zeta", "5"],
    ]);
  });

  test("shows and ranks totals below zero as zero, unless the metric allows them", async () => {
    const uses = [
      { customer: "aaa", at: daysAgo(1), value: -5 },
      { customer: "zzz", at: daysAgo(1), value: 0 },
      { customer: "uses", at: daysAgo(1), value: 3 },
    ];
    const project = await makeProject();
    const clamped = await makeMetric(project, { slug: "clamped", aggregation: "sum", value_property: "n" });
    const signed = await makeMetric(project, {
      slug: "signed",
      aggregation: "sum",
      value_property: "n",
      allow_negative: true,
    });
    await store(project, clamped.id, uses);
    await store(project, signed.id, uses);
    const read = async (slug: string) =>
      (await json<TopCustomersAnswer>(project, `GET /v1/reports/top-customers?metric=${slug}`)).data.map((row) => [
        row.customer_id,
        row.total,
      ]);
    expect(await read("clamped")).toEqual([
      ["uses", "3"],
      ["aaa", "0"],
      ["zzz", "0"],
    ]);
    expect(await read("signed")).toEqual([
      ["uses", "3"],
      ["zzz", "0"],
      ["aaa", "-5"],
    ]);
  });

  test("leaves out customers with nothing but rejected events", async () => {
    const project = await makeProject();
    const metric = await makeMetric(project);
    const [day] = toDays(metric.id, [{ customer: "a", at: daysAgo(1) }]);
    if (day !== undefined)
      await insertDay(project, "a", { ...day, value: "0", events: 0, rejected: 9, groups: [] }).run();
    const report = await json<TopCustomersAnswer>(project, `GET /v1/reports/top-customers?metric=${metric.slug}`);
    expect(report.data).toEqual([]);
  });

  test("tells who grows, who shrinks and who went quiet", async () => {
    const project = await makeProject();
    const metric = await makeMetric(project);
    const daily = (customer: string, from: number, to: number, perDay: number): Use[] =>
      Array.from({ length: from - to + 1 }, (_, index) =>
        Array.from({ length: perDay }, () => ({ customer, at: daysAgo(from - index) })),
      ).flat();
    await store(project, metric.id, [
      ...daily("steady", 70, 0, 3),
      ...daily("growing", 70, 30, 3),
      ...daily("growing", 29, 0, 4),
      ...daily("declining", 70, 30, 4),
      ...daily("declining", 29, 8, 2),
      ...daily("declining", 7, 0, 2),
      ...daily("dormant", 70, 12, 3),
      ...daily("quiet", 70, 2, 3),
      ...daily("halved", 70, 8, 4),
      ...daily("halved", 7, 0, 2),
      ...daily("new", 10, 0, 2),
    ]);
    const report = await json<TopCustomersAnswer>(
      project,
      `GET /v1/reports/top-customers?metric=${metric.slug}&days=30`,
    );
    expect(Object.fromEntries(report.data.map((row) => [row.customer_id, row.trend]))).toEqual({
      steady: "steady",
      growing: "growing",
      declining: "declining",
      dormant: "dormant",
      quiet: "check_in",
      halved: "check_in",
      new: "new",
    });
    const rules = Object.fromEntries(report.data.map((row) => [row.customer_id, row.trend_detail]));
    expect(rules["growing"]).toEqual({ change: "0.3333", rule: expect.stringContaining("33.3%") as string });
    expect(rules["steady"]?.change).toBe("0");
  });

  test("works for a window shorter than the two weeks that trends look at", async () => {
    const project = await makeProject();
    const metric = await makeMetric(project);
    await store(
      project,
      metric.id,
      Array.from({ length: 60 }, (_, day) => ({ customer: "a", at: daysAgo(day) })),
    );
    const report = await json<TopCustomersAnswer>(
      project,
      `GET /v1/reports/top-customers?metric=${metric.slug}&days=1`,
    );
    expect(report.data).toMatchObject([
      {
        total: "1",
        active_days: 1,
        trend: "steady",
        trend_detail: { change: null },
        series: [{ day: "2026-11-21", value: "1" }],
      },
    ]);
  });

  test("falls back to days of UTC where the project's zone has half an hour, and says so", async () => {
    const project = await makeProject("Asia/Kolkata");
    const metric = await makeMetric(project);
    await store(project, metric.id, [{ customer: "a", at: Date.parse("2026-11-20T23:00Z") }]);
    const report = await json<TopCustomersAnswer>(
      project,
      `GET /v1/reports/top-customers?metric=${metric.slug}&days=2`,
    );
    expect(report.time_zone).toBe("UTC");
    expect(report.data[0]?.series).toEqual([
      { day: "2026-11-20", value: "1" },
      { day: "2026-11-21", value: "0" },
    ]);
  });

  test("as CSV guards what a spreadsheet would run, and leaves numbers alone", async () => {
    const project = await makeProject();
    const metric = await makeMetric(project, {
      decimal_places: 1,
      aggregation: "sum",
      value_property: "n",
      allow_negative: true,
    });
    const hostile = ["=1+1", "+cmd", "-2+3", "@SUM(A1)", 'say "hi", all', "-17"];
    await store(
      project,
      metric.id,
      hostile.map((customer, index) => ({ customer, at: daysAgo(0), value: 100 - index })),
    );
    await store(project, metric.id, [{ customer: "z", at: daysAgo(0), value: -15 }]);
    await env.DB.prepare("UPDATE customers SET name = ? WHERE project_id = ? AND customer_id = ?")
      .bind("\t=evil\nline", project.id, "=1+1")
      .run();
    const response = await call(project, `GET /v1/reports/top-customers?metric=${metric.slug}&days=1&format=csv`);
    expect(response.headers.get("content-disposition")).toBe('attachment; filename="top-customers-api_requests.csv"');
    const at = "2026-11-21T15:30:00Z";
    expect(await response.text()).toBe(
      [
        "rank,customer_id,name,total,active_days,last_seen_at,trend,change,2026-11-21",
        `1,'=1+1,"'\t=evil\nline",10,1,${at},new,,10`,
        `2,'+cmd,,9.9,1,${at},new,,9.9`,
        `3,'-2+3,,9.8,1,${at},new,,9.8`,
        `4,'@SUM(A1),,9.7,1,${at},new,,9.7`,
        `5,"say ""hi"", all",,9.6,1,${at},new,,9.6`,
        `6,-17,,9.5,1,${at},new,,9.5`,
        `7,z,,-1.5,1,${at},new,,-1.5`,
        "",
      ].join("\r\n"),
    );
  });

  test.each([
    ["", "/metric", "missing"],
    ["metric=api_requests&days=0", "/days", "too_small"],
    ["metric=api_requests&days=201", "/days", "too_big"],
    ["metric=api_requests&days=1.5", "/days", "invalid_type"],
    ["metric=api_requests&days=", "/days", "too_small"],
    ["metric=api_requests&days=many", "/days", "invalid_type"],
    ["metric=api_requests&limit=501", "/limit", "too_big"],
    ["metric=api_requests&interval=30", "/interval", "unknown_field"],
  ])("refuses %s", async (query, pointer, code) => {
    const project = await makeProject();
    await makeMetric(project);
    const body = await json<ProblemBody>(project, `GET /v1/reports/top-customers?${query}`, { status: 400 });
    expect(body.errors?.map((error) => [error.pointer, error.code])).toEqual([[pointer, code]]);
  });
});

test("the reports are listed", async () => {
  const project = await makeProject();
  const body = await json<{
    data: { name: string; params: string[]; defaults: Record<string, number> }[];
    next_cursor: null;
  }>(project, "GET /v1/reports");
  const usual = ["metric", "days", "limit"];
  expect(body.data.map(({ name, params, defaults }) => [name, params, defaults])).toEqual([
    ["top-customers", usual, { days: 30, limit: 20 }],
    ["growing", usual, { days: 30, limit: 20 }],
    ["dropping", usual, { days: 7, limit: 20 }],
    ["dormant", usual, { days: 30, limit: 20 }],
    ["near-limit", usual, { days: 30, limit: 20 }],
    ["heavy-labels", [...usual, "label"], { days: 30, limit: 20 }],
    ["hour-of-day", usual, { days: 30, limit: 5 }],
    ["error-rate", usual, { days: 30, limit: 20 }],
  ]);
  expect(body.next_cursor).toBeNull();
});
