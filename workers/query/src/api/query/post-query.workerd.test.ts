import type { ProblemBody } from "@tidemark/contract";
import type { JobAnswer } from "@tidemark/contract/job-schema";
import { QUERY_HOURLY_DAYS_MAX, QUERY_SPLIT_DAYS_MAX } from "@tidemark/contract/query-limits";
import type { QueryAnswer } from "@tidemark/contract/query-schema";
import { DAY_MS, dayOf, HOUR_MS } from "@tidemark/core/timestamp";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  call,
  json,
  makeMetric,
  makeProject,
  recordStatements,
  store,
  type TestProject,
  type Use,
} from "../../../test/fixture.ts";

const NOW = Date.parse("2026-11-21T15:30:00Z");
const TODAY = Date.parse("2026-11-21T00:00:00Z");

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
});

const use = (customer: string, daysAgo: number, value: number, label = "200"): Use => ({
  customer,
  at: TODAY - daysAgo * DAY_MS + 9 * HOUR_MS,
  value,
  labels: [label],
});

/** A metric with a label, and customers who grow, shrink, and are new. */
async function example(timeZone = "UTC"): Promise<TestProject> {
  const project = await makeProject(timeZone);
  const rules = { slug: "spent", name: "Spent", unit: "EUR", aggregation: "sum", value_property: "n" } as const;
  const metric = await makeMetric(project, { ...rules, decimal_places: 2, group_by: ["status"] });
  await store(project, metric.id, [
    use("grows", 9, 100),
    use("grows", 2, 250, "500"),
    use("grows", 0, 5),
    use("shrinks", 8, 400),
    use("shrinks", 1, 100),
    use("=new", 1, 30, "=500"),
    use("gone", 10, 75),
    use("back", 3, -90),
  ]);
  await json(project, "PATCH /v1/customers/grows", { body: { name: "Grows Ltd" } });
  return project;
}

async function ask(project: TestProject, question: object): Promise<QueryAnswer> {
  return json(project, "POST /v1/query", { body: { metric: "spent", ...question } });
}

async function refusal(project: TestProject, question: object): Promise<ProblemBody> {
  return json(project, "POST /v1/query", { body: { metric: "spent", ...question }, status: 400 });
}

describe("POST /v1/query", () => {
  test("compares customers with the week before, without today, in exact decimals", async () => {
    const project = await example();
    const answer = await ask(project, {
      measures: ["value", "events", "last_seen_at"],
      group_by: ["customer"],
      range: { days: 7 },
      compare: "previous_period",
      order_by: [{ by: "change_value" }],
    });
    expect(answer).toMatchObject({
      metric: "spent",
      unit: "EUR",
      time_zone: "UTC",
      from: "2026-11-15T00:00:00Z",
      to: "2026-11-22T00:00:00Z",
      previous_from: "2026-11-08T00:00:00Z",
      incomplete_from: "2026-11-21T00:00:00Z",
      as_of: "2026-11-21T15:30:00Z",
      approximate: false,
      overflow: false,
      total_rows: 5,
      truncated: false,
    });
    expect(answer.columns.map(({ name }) => name)).toEqual([
      "customer",
      "value",
      "previous_value",
      "change_value",
      "events",
      "previous_events",
      "change_events",
      "last_seen_at",
    ]);
    const row = (customer: string, name: string | null, values: unknown[], previous: unknown[], change: unknown[]) => ({
      group: { customer },
      name,
      values: { value: values[0], events: values[1], last_seen_at: values[2] },
      previous: { value: previous[0], events: previous[1] },
      change: { value: change[0], events: change[1] },
    });
    expect(answer.data).toEqual([
      row("grows", "Grows Ltd", ["2.55", 2, "2026-11-21T09:00:00Z"], ["1", 1], ["1.5", "0"]),
      row("shrinks", null, ["1", 1, "2026-11-20T09:00:00Z"], ["4", 1], ["-0.75", "0"]),
      // What shows as nothing is compared as nothing, as is what has stopped.
      row("gone", null, ["0", 0, null], ["0.75", 1], ["-1", "-1"]),
      row("=new", null, ["0.3", 1, "2026-11-20T09:00:00Z"], ["0", 0], [null, null]),
      row("back", null, ["0", 1, "2026-11-18T09:00:00Z"], ["0", 0], [null, null]),
    ]);
  });

  test("gives every day a row, and no day that is still to come", async () => {
    const project = await example();
    const { data } = await ask(project, { group_by: ["day"], range: { from: "2026-11-18", to: "2026-11-30" } });
    expect(data.map(({ group, values }) => [group["day"], values["value"]])).toEqual([
      ["2026-11-18", "0"],
      ["2026-11-19", "2.5"],
      ["2026-11-20", "1.3"],
      ["2026-11-21", "0.05"],
    ]);
  });

  test("is one row without groups, whatever there is", async () => {
    const project = await example();
    expect((await ask(project, { range: { from: "2020-01-01", to: "2020-02-01" } })).data).toEqual([
      { group: {}, values: { value: "0" } },
    ]);
    expect((await ask(project, { filter: { customers: ["nobody"] }, group_by: ["customer"] })).data).toEqual([]);
  });

  test("cuts to its limit, and says how many there are", async () => {
    const answer = await ask(await example(), { group_by: ["customer"], limit: 2 });
    expect(answer).toMatchObject({ total_rows: 5, truncated: true });
    expect(answer.data.map(({ group }) => group["customer"])).toEqual(["shrinks", "grows"]);
  });

  test("tells of rejected events by customer and day", async () => {
    const project = await example();
    const { id } = await json<{ id: string }>(project, "GET /v1/metrics/spent");
    await env.DB.prepare(
      `INSERT INTO usage_days (project_id, metric_id, day, customer_id, version, value, events, rejected, last_at, groups)
       VALUES (?, ?, ?, 'broken', 1, 0, 0, 3, 0, '[]')`,
    )
      .bind(project.id, id, dayOf(NOW))
      .run();
    const { data } = await ask(project, {
      measures: ["rejected", "events", "customers"],
      group_by: ["customer"],
      limit: 1,
    });
    expect(data).toEqual([
      { group: { customer: "broken" }, name: null, values: { rejected: 3, events: 0, customers: 0 } },
    ]);
  });

  test("leaves out days beyond 64 bits, and says so", async () => {
    const project = await example();
    const { id } = await json<{ id: string }>(project, "GET /v1/metrics/spent");
    const huge = [{ labels: [""], value: "9223372036854775808", events: 2, hours: { 9: "9223372036854775808" } }];
    await env.DB.prepare(
      `INSERT INTO usage_days (project_id, metric_id, day, customer_id, version, value, events, rejected, last_at, groups, overflow)
       VALUES (?, ?, ?, 'huge', 1, 0, 2, 0, 1, ?, 1)`,
    )
      .bind(project.id, id, dayOf(NOW), JSON.stringify(huge))
      .run();
    const answer = await ask(project, { group_by: ["customer"], measures: ["value", "events"] });
    expect(answer.overflow).toBe(true);
    expect(answer.data.find(({ group }) => group["customer"] === "huge")?.values).toEqual({ value: "0", events: 2 });
    expect((await ask(project, { filter: { customers: ["grows"] } })).overflow).toBe(false);
  });

  test("adds up beyond 64 bits exactly", async () => {
    const project = await makeProject();
    const metric = await makeMetric(project, { slug: "bytes", aggregation: "sum", value_property: "n" });
    const most = 9_223_372_036_854_775_807n;
    const uses = ["a", "b", "c"].map((customer): Use => ({ customer, at: NOW, value: most }));
    await store(project, metric.id, uses);
    const { data } = await json<QueryAnswer>(project, "POST /v1/query", { body: { metric: "bytes" } });
    expect(data[0]?.values["value"]).toBe((3n * most).toString());
  });

  test("sees days in the project's zone, or of UTC where that is a part of an hour away", async () => {
    const question = { group_by: ["hour_of_day"], filter: { customers: ["grows"] }, range: { days: 3 } };
    const busiest = async (zone: string) => {
      const answer = await ask(await example(zone), { ...question, order_by: [{ by: "value" }], limit: 1 });
      return [answer.time_zone, answer.data[0]?.group["hour_of_day"], answer.total_rows];
    };
    expect(await busiest("Asia/Tokyo")).toEqual(["Asia/Tokyo", "18", 24]);
    expect(await busiest("Asia/Kolkata")).toEqual(["UTC", "9", 24]);
  });

  test("is CSV that no spreadsheet runs, and NDJSON", async () => {
    const project = await example();
    const body = { metric: "spent", group_by: ["customer", "status"], filter: { customers: ["=new", "shrinks"] } };
    const csv = await call(project, "POST /v1/query", { body, headers: { accept: "text/csv" } });
    expect(csv.headers.get("content-disposition")).toBe('attachment; filename="query-spent.csv"');
    expect(await csv.text()).toBe("customer_id,name,status,value\r\nshrinks,,200,5\r\n'=new,,'=500,0.3\r\n");
    const lines = await call(project, "POST /v1/query", { body, headers: { accept: "application/x-ndjson" } });
    expect((await lines.text()).trim().split("\n")).toHaveLength(2);
  });

  test("is answered once until usage changes", async () => {
    const project = await example();
    const { DB, statements } = recordStatements();
    const body = { metric: "spent", group_by: ["customer"] };
    const reads = () => statements.splice(0).filter(({ sql }) => sql.includes("usage_days")).length;
    const first = await json(project, "POST /v1/query", { body, bindings: { DB } });
    expect(reads()).toBeGreaterThan(0);
    expect(await json(project, "POST /v1/query", { body, bindings: { DB } })).toEqual(first);
    expect(reads()).toBe(0);
    const { id } = await json<{ id: string }>(project, "GET /v1/metrics/spent");
    await store(project, id, [use("newest", 0, 1)], 2);
    vi.setSystemTime(NOW + 60_000);
    expect((await json<QueryAnswer>(project, "POST /v1/query", { body })).total_rows).toBe(6);
  });

  test("sees nothing of another project", async () => {
    await example();
    const other = await makeProject();
    expect((await refusal(other, {})).errors?.[0]).toMatchObject({ pointer: "/metric", code: "unknown_metric" });
    await makeMetric(other, { slug: "spent", group_by: ["status"] });
    expect((await ask(other, { group_by: ["customer"] })).data).toEqual([]);
  });

  test("cannot be made to run what it was asked", async () => {
    const project = await example();
    const evil = "'; DROP TABLE usage_days; --";
    await refusal(project, { group_by: [evil] });
    await ask(project, { filter: { customers: [evil], labels: { status: [evil] } }, group_by: ["status"] });
    expect((await ask(project, {})).data[0]?.values["value"]).toBe("8.7");
  });

  test.each([
    [{ metric: "" }, "/metric", "too_small"],
    [{ metric: "nothing" }, "/metric", "unknown_metric"],
    [{ measures: [] }, "/measures", "too_small"],
    [{ measures: ["value", "value"] }, "/measures", "invalid_value"],
    [{ measures: ["average"] }, "/measures/0", "invalid_value"],
    [{ group_by: ["nothing"] }, "/group_by/0", "invalid_value"],
    [{ group_by: ["status", "label:status"] }, "/group_by", "invalid_value"],
    [{ group_by: ["segment"] }, "/group_by/0", "invalid_value"],
    [{ group_by: ["day", "customer", "status", "hour"] }, "/group_by", "too_big"],
    [{ range: {} }, "/range", "invalid_value"],
    [{ range: { days: 7, from: "2026-11-01" } }, "/range", "invalid_value"],
    [{ range: { days: 401 } }, "/range/days", "too_big"],
    [{ range: { from: "yesterday" } }, "/range/from", "invalid_value"],
    [{ range: { from: "2026-11-09", to: "2026-11-09" } }, "/range/from", "invalid_value"],
    [{ range: { from: "2025-01-01", to: "2026-11-09" } }, "/range/from", "invalid_value"],
    [{ range: { from: "2027-01-01" } }, "/range/from", "invalid_value"],
    [{ tz: "Mars/Olympus" }, "/tz", "invalid_value"],
    [{ tz: "Asia/Kolkata" }, "/tz", "invalid_value"],
    [{ filter: { labels: { region: ["eu"] } } }, "/filter/labels/region", "invalid_value"],
    [{ filter: { segment: "EU" } }, "/filter/segment", "invalid_value"],
    [{ filter: { customers: [] } }, "/filter/customers", "too_small"],
    [{ order_by: [{ by: "previous_value" }] }, "/order_by/0/by", "invalid_value"],
    [{ order_by: [{ by: "value", direction: "up" }] }, "/order_by/0/direction", "invalid_value"],
    [{ limit: 10_001 }, "/limit", "too_big"],
    [{ compare: "last_year" }, "/compare", "invalid_value"],
    [{ compare: "previous_period", group_by: ["day"] }, "/compare", "invalid_value"],
    [{ measures: ["rejected"], group_by: ["status"] }, "/measures/0", "invalid_value"],
    [{ measures: ["value", "last_seen_at"], group_by: ["day"] }, "/measures/1", "invalid_value"],
    [
      { measures: ["last_seen_at"], range: { from: "2026-11-01", to: "2026-11-09T05:00:00Z" } },
      "/measures/0",
      "invalid_value",
    ],
    [{ measures: ["events"], tz: "Europe/Berlin" }, "/measures/0", "invalid_value"],
    [{ source: "sql" }, "/source", "invalid_value"],
    [{ sql: "SELECT 1" }, "/sql", "unknown_field"],
  ])("refuses %j", async (question, pointer, code) => {
    const problem = await refusal(await example(), question);
    expect(problem.errors?.map((error) => [error.pointer, error.code])).toEqual([[pointer, code]]);
  });

  test("refuses what would read too much, with how much that is and what to narrow", async () => {
    const project = await makeProject();
    const metric = await makeMetric(project, { slug: "users", aggregation: "unique", distinct_by: "u" });
    await env.DB.prepare(
      `INSERT INTO usage_days (project_id, metric_id, day, customer_id, version, value, events, rejected, last_at, groups)
       WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 54999)
       SELECT ?, ?, ? - i % 30, format('c%05d', i / 30), 1, 1, 1, 0, 0, '[]' FROM n`,
    )
      .bind(project.id, metric.id, dayOf(NOW))
      .run();
    const { DB, statements } = recordStatements();
    const body = { metric: "users", range: { days: 30 } };
    const problem = await json<ProblemBody>(project, "POST /v1/query", { body, bindings: { DB }, status: 400 });
    expect(problem.errors).toMatchObject([{ pointer: "/range", code: "too_many_rows" }]);
    expect(problem.errors?.[0]?.detail).toMatch(/more than 50000 .*filter\.customers/);
    // They were counted, and no further.
    expect(statements.filter(({ sql }) => sql.includes("usage_days"))).toHaveLength(1);
    const one = { ...body, filter: { customers: ["c00001"] } };
    expect(await json(project, "POST /v1/query", { body: one })).toMatchObject({ rows_read: 30 });
  });

  test("counts the days that it reads, wherever they lie, and no more than once for each time", async () => {
    const project = await makeProject();
    const metric = await makeMetric(project, { slug: "calls", group_by: ["status"] });
    const burst = Array.from({ length: 40 }, (_, index): Use => ({ customer: `c${index}`, at: NOW - 20 * DAY_MS }));
    await store(project, metric.id, [...burst, { customer: "c0", at: NOW }]);
    const rowsOf = async (question: object) =>
      (await json<QueryAnswer>(project, "POST /v1/query", { body: { metric: "calls", ...question } })).rows_read;
    expect(await rowsOf({ range: { days: 90 } })).toBe(41);
    expect(await rowsOf({ range: { days: 10 } })).toBe(1);
    expect(await rowsOf({ range: { days: 30 }, group_by: ["status"] })).toBe(41);
    expect(await rowsOf({ range: { days: 30 }, filter: { customers: ["c0", "c1", "nobody"] } })).toBe(3);
    // The changes leave today out, so both spans are read with it and without.
    expect(await rowsOf({ range: { days: 15 }, compare: "previous_period" })).toBe(81);
  });

  test.each([
    ["cut into hours", { group_by: ["hour_of_day"] }, QUERY_HOURLY_DAYS_MAX],
    ["taken apart into labels", { group_by: ["status"] }, QUERY_SPLIT_DAYS_MAX],
  ])("refuses more days %s than it can read, of customers who are there on one day", async (_, question, max) => {
    const project = await makeProject();
    const metric = await makeMetric(project, { slug: "calls", group_by: ["status"] });
    await env.DB.prepare(
      `INSERT INTO usage_days (project_id, metric_id, day, customer_id, version, value, events, rejected, last_at, groups)
       WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ?3)
       SELECT ?1, ?2, ?4 - i % 2, i, 1, 1, 1, 0, 0, '[]' FROM n`,
    )
      .bind(project.id, metric.id, max, dayOf(NOW) - 3)
      .run();
    const body = { metric: "calls", range: { days: 90 }, ...question };
    const problem = await json<ProblemBody>(project, "POST /v1/query", { body, status: 400 });
    expect(problem.errors).toMatchObject([{ pointer: "/range", code: "too_many_rows" }]);
    expect(problem.errors?.[0]?.detail).toContain(`more than ${max} days of customers`);
  });

  test("tells a label from the columns whose name it has", async () => {
    const project = await makeProject();
    const labels = ["previous_value", "change_value", "value"];
    const metric = await makeMetric(project, { slug: "calls", group_by: labels });
    await store(project, metric.id, [{ customer: "a", at: NOW, labels: ["x", "y", "z"] }]);
    const body = {
      metric: "calls",
      group_by: ["previous_value", "label:change_value", "value"],
      compare: "previous_period",
    };
    const { columns, data } = await json<QueryAnswer>(project, "POST /v1/query", { body });
    const names = [
      "label:previous_value",
      "label:change_value",
      "label:value",
      "value",
      "previous_value",
      "change_value",
    ];
    expect(columns.map(({ name }) => name)).toEqual(names);
    expect(data[0]).toMatchObject({
      group: { "label:previous_value": "x", "label:change_value": "y", "label:value": "z" },
      values: { value: "1" },
    });
  });

  test("says under which conditions it is, of customers only how many", async () => {
    const filter = { customers: ["grows", "gone"], labels: { status: ["500"] } };
    expect((await ask(await example(), { filter })).conditions).toEqual({
      customers: 2,
      labels: { status: ["500"] },
      segment: null,
    });
  });

  test("refuses more groups than it can sort", async () => {
    const project = await makeProject();
    const metric = await makeMetric(project, { slug: "calls" });
    const uses = Array.from({ length: 150 }, (_, index): Use => ({ customer: `c${index}`, at: NOW - DAY_MS }));
    await store(project, metric.id, uses);
    const body = { metric: "calls", group_by: ["customer", "hour"], range: { days: 30 } };
    const problem = await json<ProblemBody>(project, "POST /v1/query", { body, status: 400 });
    expect(problem.errors).toMatchObject([{ pointer: "/group_by", code: "too_many_rows" }]);
  });
});

describe("a question over the archive", () => {
  const body = { source: "archive", group_by: ["endpoint"], range: { days: 7 } };

  function noting(): { readonly JOBS: Queue<string>; readonly sent: string[] } {
    const sent: string[] = [];
    const send = async (text: string) => {
      sent.push(text);
      return { metadata: { metrics: { backlogCount: 0, backlogBytes: 0 } } };
    };
    return { sent, JOBS: { ...env.JOBS, send } };
  }

  test("is a job, the same one while it is under way, and changes no catalog", async () => {
    const project = await makeProject("Asia/Kolkata");
    const { JOBS, sent } = noting();
    const options = { body, bindings: { JOBS }, key: project.keys.read, status: 202 };
    const job = await json<JobAnswer>(project, "POST /v1/query", options);
    expect(job).toMatchObject({
      kind: "query",
      state: "waiting",
      from: "2026-11-14",
      to: "2026-11-21",
      query: { source: "archive", measures: [{ of: "count" }], group_by: ["endpoint"], limit: 1_000 },
      result: null,
    });
    expect(sent).toEqual([JSON.stringify({ project_id: project.id, job_id: job.id })]);
    expect(await json(project, "POST /v1/query", options)).toEqual(job);
    expect(sent).toHaveLength(1);
    expect(await json(project, `GET /v1/jobs/${job.id}`)).toEqual(job);
    const version = await env.DB.prepare("SELECT catalog_version FROM projects WHERE id = ?").bind(project.id).first();
    expect(version).toEqual({ catalog_version: 1 });
  });

  test("neither waits for a recount nor holds one up; a fourth question has to wait", async () => {
    const project = await makeProject();
    const bindings = { JOBS: noting().JOBS };
    await json(project, "POST /v1/jobs", { body: { kind: "verify" }, bindings, status: 202 });
    for (const days of [1, 2, 3])
      await json(project, "POST /v1/query", { body: { ...body, range: { days } }, bindings, status: 202 });
    const problem = await json<ProblemBody>(project, "POST /v1/query", { body, bindings, status: 409 });
    expect(problem.detail).toContain("ask again when one is done");
  });

  test.each([
    [{ measures: [{ of: "sum" }] }, "/measures/0/property", "invalid_value"],
    [{ measures: [{ of: "count", property: "x" }] }, "/measures/0/property", "invalid_value"],
    [{ measures: [{ of: "median", property: "x" }] }, "/measures/0/of", "invalid_value"],
    [{ measures: [{ of: "count" }, { of: "count" }] }, "/measures", "invalid_value"],
    [{ group_by: ["a b"] }, "/group_by/0", "invalid_value"],
    [{ group_by: ["a", "b", "property:day"] }, "/group_by", "too_big"],
    [{ filters: { and: [{ property: "x", op: "matches", value: "y" }] } }, "/filters/and/0/op", "invalid_value"],
    [{ metric: "spent" }, "/metric", "unknown_field"],
    [{ limit: 1_001 }, "/limit", "too_big"],
    [{ range: { from: "2026-12-24" } }, "/range/from", "invalid_value"],
  ])("is refused with %j", async (change, pointer, code) => {
    const project = await makeProject();
    const problem = await json<ProblemBody>(project, "POST /v1/query", { body: { ...body, ...change }, status: 400 });
    expect(problem.errors?.map((error) => [error.pointer, error.code])).toEqual([[pointer, code]]);
  });
});
