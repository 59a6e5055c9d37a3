import type { Usage } from "@tidemark/contract/usage-schema";
import { dayOf, HOUR_MS } from "@tidemark/core/timestamp";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  insertDay,
  json,
  makeMetric,
  makeProject,
  metersThat,
  recordStatements,
  store,
  toDays,
  total,
  type Use,
} from "../../../test/fixture.ts";

const NOW = Date.parse("2026-11-21T15:30:00Z");
const at = (text: string): number => Date.parse(text);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
});

describe("usage is exact", () => {
  const ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Tokyo"];
  const FIRST = at("2026-10-20T00:00Z");
  const HOURS = 24 * 14;
  const anyUse = fc.record({
    customer: fc.constantFrom("acme", "globex", "initech"),
    at: fc.integer({ min: 0, max: HOURS * 60 }).map((minute) => FIRST + minute * 60_000),
    value: fc.bigInt(-5_000n, 50_000n),
    labels: fc.tuple(fc.constantFrom("gpt", "claude", "ünïcode \"'; DROP--", ""), fc.constantFrom("eu", "us")),
  });
  const anyQuery = fc.record({
    from: fc.integer({ min: -30, max: HOURS - 1 }),
    length: fc.integer({ min: 1, max: HOURS }),
    grain: fc.constantFrom("hour", "day", "week", "month"),
    tz: fc.constantFrom(...ZONES),
    groupBy: fc.constantFrom(undefined, "model", "region", "region,model"),
    customer: fc.constantFrom(undefined, "acme", "globex", "nobody"),
  });

  /** The key of a bucket on a zone's own calendar: by another way than the code takes. */
  function bucketKey(instant: number, grain: string, timeZone: string): string {
    if (grain === "hour") return String(Math.floor(instant / HOUR_MS));
    const date = new Intl.DateTimeFormat("en-CA", {
      timeZone,
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
    }).format(instant);
    if (grain === "day") return date;
    if (grain === "month") return date.slice(0, 7);
    const day = dayOf(at(`${date}T00:00Z`));
    return String(Math.floor((day + 3) / 7));
  }

  test("over every grain, zone, group and customer", async () => {
    const project = await makeProject();
    const metric = await makeMetric(project, {
      aggregation: "sum",
      value_property: "n",
      group_by: ["model", "region"],
      allow_negative: true,
    });
    const uses = fc.sample(anyUse, { numRuns: 400, seed: 7 });
    await store(project, metric.id, uses);
    for (const query of fc.sample(anyQuery, { numRuns: 120, seed: 11 })) {
      const start = FIRST + query.from * HOUR_MS;
      const end = start + query.length * HOUR_MS;
      const params = new URLSearchParams({
        metric: metric.slug,
        from: new Date(start).toISOString(),
        to: new Date(end).toISOString(),
        grain: query.grain,
        tz: query.tz,
        ...(query.groupBy === undefined ? {} : { group_by: query.groupBy }),
        ...(query.customer === undefined ? {} : { customer_id: query.customer }),
      });
      const usage = await json<Usage>(project, `GET /v1/usage?${params.toString()}`);

      const inside = uses.filter(
        (use) => use.at >= start && use.at < end && (query.customer === undefined || use.customer === query.customer),
      );
      const labelsOf = ({ labels = [] }: Use): string =>
        JSON.stringify((query.groupBy?.split(",") ?? []).map((name) => labels[name === "model" ? 0 : 1]));
      const groups = query.groupBy === undefined ? ["[]"] : [...new Set(inside.map(labelsOf))].toSorted();
      const starts: number[] = [];
      for (let hour = start; hour < end; hour += HOUR_MS) {
        const isNew =
          hour === start || bucketKey(hour, query.grain, query.tz) !== bucketKey(hour - HOUR_MS, query.grain, query.tz);
        if (isNew) starts.push(hour);
      }
      const expected = starts.flatMap((from, index) => {
        const to = starts[index + 1] ?? end;
        return groups.map((group) => {
          const own = inside.filter(
            (use) => use.at >= from && use.at < to && (query.groupBy === undefined || labelsOf(use) === group),
          );
          return [
            new Date(from).toISOString().replace(".000Z", "Z"),
            new Date(to).toISOString().replace(".000Z", "Z"),
            group,
            total(own).toString(),
          ];
        });
      });
      const names = query.groupBy?.split(",") ?? [];
      const answered = usage.data.map((row) => [
        row.start,
        row.end,
        JSON.stringify(names.map((name) => row.group?.[name])),
        row.value,
      ]);
      expect(answered, params.toString()).toEqual(expected);
    }
  });

  test("beyond 64 bits, where the sum of many customers leads", async () => {
    const project = await makeProject();
    const metric = await makeMetric(project, { aggregation: "sum", value_property: "n" });
    const huge = 9_223_372_036_854_775_807n;
    await store(
      project,
      metric.id,
      ["a", "b", "c"].map((customer) => ({ customer, at: at("2026-11-20T10:00Z"), value: huge })),
    );
    const usage = await json<Usage>(project, `GET /v1/usage?metric=${metric.slug}&from=2026-11-20&to=2026-11-21`);
    expect(usage.data[0]?.value).toBe((3n * huge).toString());
    const hourly = await json<Usage>(
      project,
      `GET /v1/usage?metric=${metric.slug}&from=2026-11-20T10:00:00Z&to=2026-11-20T11:00:00Z&grain=hour`,
    );
    expect(hourly.data[0]?.value).toBe((3n * huge).toString());
  });

  test("in decimals of the metric, and shown as 0 below zero unless the metric allows it", async () => {
    const project = await makeProject();
    const clamped = await makeMetric(project, {
      name: "Clamped",
      aggregation: "sum",
      value_property: "n",
      decimal_places: 2,
    });
    const signed = await makeMetric(project, {
      name: "Signed",
      aggregation: "sum",
      value_property: "n",
      decimal_places: 2,
      allow_negative: true,
    });
    const uses = [
      { customer: "a", at: at("2026-11-18T10:00Z"), value: 1250n },
      { customer: "a", at: at("2026-11-19T10:00Z"), value: -1000n },
      { customer: "a", at: at("2026-11-20T10:00Z"), value: 7n },
    ];
    await store(project, clamped.id, uses);
    await store(project, signed.id, uses);
    const values = async (slug: string, grain: string) =>
      (
        await json<Usage>(project, `GET /v1/usage?metric=${slug}&from=2026-11-18&to=2026-11-21&grain=${grain}`)
      ).data.map(({ value }) => value);
    expect(await values("clamped", "day")).toEqual(["12.5", "0", "0.07"]);
    expect(await values("signed", "day")).toEqual(["12.5", "-10", "0.07"]);
    expect(await values("signed", "month")).toEqual(["2.57"]);
    expect(await values("clamped", "month")).toEqual(["2.57"]);
  });
});

test("a gap is filled for every group that occurs, and for no other", async () => {
  const project = await makeProject();
  const metric = await makeMetric(project, { group_by: ["model"] });
  await store(project, metric.id, [
    { customer: "a", at: at("2026-11-18T10:00Z"), labels: ["x"] },
    { customer: "a", at: at("2026-11-20T10:00Z"), labels: ["y"] },
    { customer: "a", at: at("2026-11-21T10:00Z"), labels: ["outside"] },
  ]);
  const usage = await json<Usage>(
    project,
    `GET /v1/usage?metric=${metric.slug}&from=2026-11-18&to=2026-11-21&group_by=model`,
  );
  expect(usage.data.map(({ start, value, group }) => `${start.slice(0, 10)} ${group?.["model"]} ${value}`)).toEqual([
    "2026-11-18 x 1",
    "2026-11-18 y 0",
    "2026-11-19 x 0",
    "2026-11-19 y 0",
    "2026-11-20 x 0",
    "2026-11-20 y 1",
  ]);
  const empty = await json<Usage>(
    project,
    `GET /v1/usage?metric=${metric.slug}&from=2026-01-18&to=2026-01-21&group_by=model`,
  );
  expect(empty.data).toEqual([]);
  const evening = await json<Usage>(
    project,
    `GET /v1/usage?metric=${metric.slug}&from=2026-11-20T00:00:00Z&to=2026-11-20T20:00:00Z&group_by=model`,
  );
  expect(evening.data.map(({ value, group }) => `${group?.["model"]} ${value}`)).toEqual(["y 1"]);
  await store(project, metric.id, [{ customer: "late", at: at("2026-11-20T22:00Z"), labels: ["z"] }]);
  const later = await json<Usage>(
    project,
    `GET /v1/usage?metric=${metric.slug}&from=2026-11-20T00:00:00Z&to=2026-11-20T20:00:00Z&group_by=model`,
  );
  expect(later.data).toEqual(evening.data);
});

test("what was rejected is counted over the days of the range", async () => {
  const project = await makeProject();
  const metric = await makeMetric(project);
  for (const [customer, rejected, events] of [
    ["a", 3, 0],
    ["b", 4, 2],
  ] as const) {
    const [day] = toDays(
      metric.id,
      Array.from({ length: Math.max(events, 1) }, () => ({ customer, at: at("2026-11-20T10:00Z") })),
    );
    if (day !== undefined)
      await insertDay(project, customer, { ...day, events, value: String(events), rejected }).run();
  }
  const usage = await json<Usage>(project, `GET /v1/usage?metric=${metric.slug}&from=2026-11-20&to=2026-11-21`);
  expect([usage.rejected, usage.data[0]?.value]).toEqual([7, "2"]);
});

test("every question reads the hot table by ranges of its key, with everything bound", async () => {
  const project = await makeProject();
  const metric = await makeMetric(project, { group_by: ["model"] });
  await store(project, metric.id, [{ customer: "acme", at: NOW, labels: ["a"] }]);
  const { DB, statements } = recordStatements();
  const usage = `GET /v1/usage?metric=${metric.slug}&from=2026-11-20&to=2026-11-22`;
  const METERS = metersThat(async () => ({
    as_of: NOW,
    days: toDays(metric.id, [{ customer: "acme", at: NOW, labels: ["a"] }], 9),
  }));
  const queries = ["", "&tz=Europe/Berlin", "&grain=hour", "&group_by=model", "&group_by=model&tz=Europe/Berlin"];
  for (const query of queries) {
    await json(project, usage + query, { bindings: { DB } });
    await json(project, `${usage}${query}&customer_id=acme`, { bindings: { DB, METERS } });
  }
  await json(project, "GET /v1/customers/acme/usage", { bindings: { DB, METERS } });
  await json(project, `GET /v1/reports/top-customers?metric=${metric.slug}`, { bindings: { DB } });

  for (const aggregation of ["max", "latest", "unique"] as const) {
    const property = aggregation === "unique" ? { distinct_by: "u" } : { value_property: "n" };
    const other = await makeMetric(project, { name: aggregation, aggregation, group_by: ["model"], ...property });
    await store(project, other.id, [{ customer: "acme", at: NOW, labels: ["a"] }], 1, aggregation);
    for (const query of [...queries, "&filter=model:a"]) {
      const path = `GET /v1/usage?metric=${other.slug}&from=2026-11-20&to=2026-11-22${query}`;
      await json(project, path, { bindings: { DB } });
      await json(project, `${path}&customer_id=acme`, { bindings: { DB } });
    }
    await json(project, `GET /v1/reports/top-customers?metric=${other.slug}`, { bindings: { DB } });
  }
  await json(project, `GET /v1/events/rejected?metric=${metric.slug}`, { bindings: { DB } });
  await json(project, "GET /v1/events/rejected?customer_id=acme", { bindings: { DB } });

  const hot = statements.filter(({ sql }) => sql.includes("usage_days"));
  expect(hot.length).toBeGreaterThan(queries.length * 2);
  for (const { sql, params } of hot) {
    const { results } = await env.DB.prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .bind(...params)
      .all<{ detail: string }>();
    const plan = results.map(({ detail }) => detail).filter((detail) => / u\b| usage_days\b/.test(detail));
    expect(plan.length, sql).toBeGreaterThan(0);
    for (const detail of plan)
      expect(detail, sql).toMatch(
        /^SEARCH (u|usage_days) USING PRIMARY KEY \(project_id=\? AND metric_id=\? AND (day[=>]\?|\(day,customer_id\)>)/,
      );
    expect(sql).not.toMatch(/acme|2026|project-|met_/);
  }
});
