import { decidedCounter, type ProblemBody } from "@tidemark/contract";
import type { MetricInput } from "@tidemark/contract/metric-schema";
import type { ErrorRateAnswer, HeavyLabelsAnswer, HourOfDayAnswer } from "@tidemark/contract/report-schema";
import { DAY_MS, HOUR_MS } from "@tidemark/core/timestamp";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { addVersion } from "../../../test/add-version.ts";
import {
  call,
  json,
  makeMetric,
  makeProject,
  store,
  type TestProject,
  total,
  type Use,
} from "../../../test/fixture.ts";

const NOW = Date.parse("2026-11-21T15:30:00Z");
const BOUNDARY = NOW - 9 * DAY_MS - 4 * HOUR_MS;
const ZONES = ["UTC", "Europe/Berlin", "America/Los_Angeles"] as const;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
});

const anyUse = fc.record({
  customer: fc.constantFrom("a", "b", "c", "d", "e"),
  at: fc.integer({ min: 0, max: 40 * 24 * 6 }).map((ten) => NOW - ten * 600_000),
  value: fc.integer({ min: 1, max: 50 }),
  status: fc.constantFrom(
    "200",
    "204",
    "404",
    "429",
    "499",
    "500",
    "503",
    "599",
    "600",
    "399",
    "",
    "4xx",
    "40",
    "4040",
  ),
  route: fc.integer({ min: 0, max: 14 }).map((index) => `/r${index}`),
});

interface Request extends Use {
  readonly status: string;
  readonly route: string;
}

/** A metric whose second version has its labels in another order, with some of its usage decided. */
async function setUp(zone: string): Promise<{ readonly project: TestProject; readonly uses: readonly Request[] }> {
  const project = await makeProject(zone);
  const rules = { slug: "m", aggregation: "sum", value_property: "n" } as const;
  const { id } = await makeMetric(project, { ...rules, group_by: ["route", "status"] });
  const uses = fc.sample(anyUse, { numRuns: 600, seed: 11 });
  const times = { effectiveFrom: BOUNDARY, shownFrom: BOUNDARY };
  const counter = await addVersion(project, id, { group_by: ["region", "status", "route"] }, times);
  const old = uses.filter(({ at }) => at < BOUNDARY);
  const recent = uses.filter(({ at }) => at >= BOUNDARY);
  await store(
    project,
    id,
    old.map((use) => ({ ...use, labels: [use.route, use.status] })),
  );
  const labelled = recent.map((use) => ({ ...use, labels: ["eu", use.status, use.route] }));
  await store(project, counter, labelled.slice(0, 60));
  await store(project, decidedCounter(counter), labelled.slice(60));
  return { project, uses };
}

function dateIn(timeZone: string, instant: number): string {
  const format = { timeZone, year: "numeric", month: "2-digit", day: "2-digit" } as const;
  return new Intl.DateTimeFormat("en-CA", format).format(instant);
}

/** Who used most, with what they used, by the events alone. */
function rankSlowly(zone: string, uses: readonly Request[], days: number, limit: number) {
  const dates = new Set(Array.from({ length: days }, (_, index) => dateIn(zone, NOW - index * DAY_MS)));
  const inside = uses.filter(({ at }) => dates.has(dateIn(zone, at)));
  return [...Map.groupBy(inside, ({ customer }) => customer)]
    .map(([customer, own]) => ({ customer, own, sum: total(own) }))
    .toSorted((a, b) => Number(b.sum - a.sum) || (a.customer < b.customer ? -1 : 1))
    .slice(0, limit);
}

function rounded(part: bigint, whole: bigint): string {
  return String(Math.round((Number(part) / Number(whole)) * 10_000) / 10_000);
}

describe.each(ZONES)("by days of %s, over two versions", (zone) => {
  test("heavy labels agree with the events, and add up to each customer's total", async () => {
    const { project, uses } = await setUp(zone);
    const report = await json<HeavyLabelsAnswer>(project, "GET /v1/reports/heavy-labels?metric=m&label=route&limit=3");
    const expected = rankSlowly(zone, uses, 30, 3).map(({ customer, own, sum }, index) => {
      const parts = [...Map.groupBy(own, ({ route }) => route)]
        .map(([label, some]) => ({ label, value: total(some) }))
        .toSorted((a, b) => Number(b.value - a.value) || (a.label < b.label ? -1 : 1));
      const rest = parts.slice(10).reduce((value, part) => value + part.value, 0n);
      const labels = [...parts.slice(0, 10), ...(rest === 0n ? [] : [{ label: "(other)", value: rest }])];
      return {
        rank: index + 1,
        customer_id: customer,
        name: null,
        total: sum.toString(),
        labels: labels.map(({ label, value }) => ({ label, value: value.toString(), share: rounded(value, sum) })),
      };
    });
    expect(expected[0]?.labels).toHaveLength(11);
    expect(report).toMatchObject({ label: "route", time_zone: zone, days: 30 });
    expect(report.data).toEqual(expected);
  });

  test("error rates agree with the events", async () => {
    const { project, uses } = await setUp(zone);
    const report = await json<ErrorRateAnswer>(project, "GET /v1/reports/error-rate?metric=m&days=20");
    const of = (own: readonly Request[], from: number): bigint =>
      total(own.filter(({ status }) => /^\d{3}$/.test(status) && Math.floor(Number(status) / 100) === from));
    expect(report.data).toEqual(
      rankSlowly(zone, uses, 20, 20).map(({ customer, own, sum }, index) => ({
        rank: index + 1,
        customer_id: customer,
        name: null,
        total: sum.toString(),
        errors_4xx: of(own, 4).toString(),
        errors_5xx: of(own, 5).toString(),
        rate: rounded(of(own, 4) + of(own, 5), sum),
      })),
    );
  });

  test("hours of the day agree with the events", async () => {
    const { project, uses } = await setUp(zone);
    const report = await json<HourOfDayAnswer>(project, "GET /v1/reports/hour-of-day?metric=m");
    const clock = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", hourCycle: "h23" });
    const expected = rankSlowly(zone, uses, 30, 5).map(({ customer, own, sum }) => {
      const hours = Array.from({ length: 24 }, (_, hour) =>
        total(own.filter(({ at }) => Number(clock.format(at)) === hour)),
      );
      const most = hours.toSorted((a, b) => Number(b - a));
      const three = most.slice(0, 3).reduce((value, hour) => value + hour, 0n);
      return {
        customer_id: customer,
        total: sum.toString(),
        hours: hours.map(String),
        peak_hour: hours.indexOf(most[0] ?? 0n),
        peak_share: rounded(most[0] ?? 0n, sum),
        busiest_share: rounded(three, sum),
        rhythm: "steady",
      };
    });
    expect(report.data).toMatchObject(expected);
    expect(report.data).toHaveLength(5);
  });
});

describe("labels", () => {
  async function setLabels(uses: readonly Use[]): Promise<TestProject> {
    const project = await makeProject();
    const rules = { aggregation: "sum", value_property: "n" } as const;
    const { id } = await makeMetric(project, { slug: "m", group_by: ["route"], ...rules });
    await store(project, id, uses);
    return project;
  }

  test("default to the metric's first, and those that the meter put together stay together", async () => {
    const labels = ["/a", "(other)", "/b"];
    const project = await setLabels(
      [7, 90, 3].map((value, index) => ({ customer: "a", at: NOW, value, labels: [labels[index] ?? ""] })),
    );
    const { label, data } = await json<HeavyLabelsAnswer>(project, "GET /v1/reports/heavy-labels?metric=m");
    expect(label).toBe("route");
    expect(data[0]?.labels.map((part) => [part.label, part.value])).toEqual([
      ["/a", "7"],
      ["/b", "3"],
      ["(other)", "90"],
    ]);
  });

  test("beyond 64 bits add up to the unit", async () => {
    const huge = 9_000_000_000_000_000_000n;
    const uses = Array.from({ length: 13 }, (_, index) => ({
      customer: "a",
      at: NOW - index * DAY_MS,
      value: huge - BigInt(index),
      labels: [`/${index}`],
    }));
    const project = await setLabels(uses);
    const { data } = await json<HeavyLabelsAnswer>(project, "GET /v1/reports/heavy-labels?metric=m");
    expect(data[0]?.total).toBe(total(uses).toString());
    expect(data[0]?.labels.at(-1)).toMatchObject({ label: "(other)", value: total(uses.slice(10)).toString() });
  });

  test("of what was given back are shown as zero, and have no share of nothing", async () => {
    const project = await setLabels([{ customer: "a", at: NOW, value: -5, labels: ["/a"] }]);
    const { data } = await json<HeavyLabelsAnswer>(project, "GET /v1/reports/heavy-labels?metric=m");
    expect(data).toMatchObject([{ total: "0", labels: [{ label: "/a", value: "0", share: null }] }]);
  });
});

describe("a metric that the report cannot be made of", () => {
  test.each<[string, Partial<MetricInput>, string, string, string]>([
    ["heavy-labels?metric=m&label=city", {}, "/label", "unknown_label", "route, status"],
    ["heavy-labels?metric=m", { group_by: [] }, "/label", "unknown_label", "not split by any label"],
    ["error-rate?metric=m", { group_by: ["route"] }, "/metric", "unknown_label", "`status`"],
    ["heavy-labels?metric=m", { aggregation: "unique", distinct_by: "u" }, "/metric", "not_additive", "unique"],
    ["hour-of-day?metric=m", { aggregation: "max", value_property: "n" }, "/metric", "not_additive", "counts or sums"],
    ["error-rate?metric=m", { aggregation: "latest", value_property: "n" }, "/metric", "not_additive", "latest"],
    ["hour-of-day?metric=m&limit=101", {}, "/limit", "too_big", "at most 100"],
    ["growing?metric=m&days=1", {}, "/days", "too_small", "at least 2"],
    ["growing?metric=m&label=route", {}, "/label", "unknown_field", "leave it out"],
  ])("is refused: %s", async (query, rules, pointer, code, words) => {
    const project = await makeProject();
    await makeMetric(project, { slug: "m", group_by: ["route", "status"], ...rules });
    const { errors } = await json<ProblemBody>(project, `GET /v1/reports/${query}`, { status: 400 });
    expect(errors).toMatchObject([{ pointer, code, detail: expect.stringContaining(words) as string }]);
  });

  test("is not found when it is another project's", async () => {
    const [own, other] = [await makeProject(), await makeProject()];
    await makeMetric(other, { slug: "m", group_by: ["status"] });
    const reports = ["growing", "dropping", "dormant", "near-limit", "heavy-labels", "hour-of-day", "error-rate"];
    for (const name of reports) {
      const problem = await json<ProblemBody>(own, `GET /v1/reports/${name}?metric=m`, { status: 404 });
      expect(problem.code).toBe("not_found");
    }
  });
});

describe("as a file", () => {
  async function setFile(): Promise<TestProject> {
    const project = await makeProject();
    const { id } = await makeMetric(project, { slug: "m", group_by: ["status"] });
    await store(project, id, [
      { customer: "=a", at: NOW - HOUR_MS, labels: ["200"] },
      { customer: "=a", at: NOW, labels: ["503"] },
    ]);
    await env.DB.prepare("UPDATE customers SET name = 'Acme' WHERE project_id = ?").bind(project.id).run();
    return project;
  }

  const hours = Array.from({ length: 24 }, (_, hour) => `${String(hour).padStart(2, "0")}:00`);
  const zeros = hours.map((_, hour) => (hour === 14 || hour === 15 ? "1" : "0"));
  test.each([
    ["error-rate", "rank,customer_id,name,total,errors_4xx,errors_5xx,rate", ["1,'=a,Acme,2,0,1,0.5"]],
    ["heavy-labels", "rank,customer_id,name,label,value,share", ["1,'=a,Acme,200,1,0.5", "1,'=a,Acme,503,1,0.5"]],
    [
      "hour-of-day",
      `rank,customer_id,name,total,${hours.join(",")},peak_hour,peak_share,busiest_share,rhythm`,
      [`1,'=a,Acme,2,${zeros.join(",")},14:00,0.5,1,bursty`],
    ],
    ["growing", "rank,customer_id,name,value,previous,change,last_seen_at", []],
    ["dormant", "rank,customer_id,name,total,active_days,last_seen_at,silent_days", []],
    ["near-limit", "rank,customer_id,name,used,reserved,allowance,share,remaining,cycle_end,enforcement", []],
  ])("%s is its table", async (report, header, lines) => {
    const project = await setFile();
    const response = await call(project, `GET /v1/reports/${report}?metric=m`, { headers: { accept: "text/csv" } });
    expect(response.headers.get("content-disposition")).toBe(`attachment; filename="${report}-m.csv"`);
    expect(await response.text()).toBe([header, ...lines, ""].join("\r\n"));
  });

  test("of lines, it has a row in each", async () => {
    const project = await setFile();
    const response = await call(project, "GET /v1/reports/error-rate?metric=m&format=ndjson");
    const lines = (await response.text()).trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { customer_id: "=a", name: "Acme", rate: "0.5" },
    ]);
  });
});

test("an answer is kept until usage changes", async () => {
  const project = await makeProject();
  const { id } = await makeMetric(project, { slug: "m", group_by: ["status"] });
  const ask = async () => {
    const { as_of, data } = await json<ErrorRateAnswer>(project, "GET /v1/reports/error-rate?metric=m");
    return [as_of, data.map((row) => row.total)];
  };
  await store(project, id, [{ customer: "a", at: NOW, labels: ["200"] }]);
  expect(await ask()).toEqual(["2026-11-21T15:30:00Z", ["1"]]);
  vi.setSystemTime(NOW + 60_000);
  expect(await ask()).toEqual(["2026-11-21T15:30:00Z", ["1"]]);
  await store(project, id, [{ customer: "b", at: NOW, labels: ["200"] }]);
  expect(await ask()).toEqual(["2026-11-21T15:31:00Z", ["1", "1"]]);
});
