import { METRICS_MAX, type ProblemBody } from "@tidemark/contract";
import type { MetricDefinition } from "@tidemark/contract/metric-schema";
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { call, json, makeProject, type TestProject } from "../../../test/fixture.ts";

const COUNT = { name: "API Requests", aggregation: "count", event_matchers: [{ event: "api_request" }] };

function post(project: TestProject, body: unknown, status = 201): Promise<MetricDefinition> {
  return json<MetricDefinition>(project, "POST /v1/metrics", { body, status });
}

async function catalogVersion(project: TestProject): Promise<number | null> {
  return env.DB.prepare("SELECT catalog_version FROM projects WHERE id = ?")
    .bind(project.id)
    .first<number>("catalog_version");
}

describe("a metric that was made", () => {
  test("has every field, with the defaults of what was left out", async () => {
    const project = await makeProject();
    const metric = await post(project, COUNT);
    expect(metric).toEqual({
      id: expect.stringMatching(/^met_[0-9A-Za-z]{20}$/) as string,
      slug: "api_requests",
      version: 1,
      name: "API Requests",
      description: "",
      unit: "events",
      type: "charge_metered",
      event_matchers: [{ event: "api_request" }],
      aggregation: "count",
      value_property: null,
      group_by: [],
      exposed_event_keys: [],
      filters: null,
      distinct_by: null,
      segments: [],
      allow_negative: false,
      decimal_places: 0,
      default_interval: { count: 30, period: "days" },
      display: { interval_days: 30, format: "numeric", currency: null, style: "number" },
      effective_from: metric.created_at,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
      updated_at: metric.created_at,
    });
    expect(await json(project, "GET /v1/metrics/api_requests")).toEqual({ ...metric, products: [] });
    expect(await json(project, "GET /v1/metrics")).toEqual({ data: [metric], next_cursor: null });
  });

  test("keeps what was given", async () => {
    const project = await makeProject();
    const given = {
      name: "  Output tokens ",
      slug: "tokens-out",
      description: "Tokens <b>out</b>",
      unit: "tokens",
      type: "limit_recurring",
      event_matchers: [{ event: "llm_call" }, { event: "llm'call\"; DROP TABLE metrics;--" }],
      aggregation: "sum",
      value_property: "usage.output",
      group_by: ["model", "region.name"],
      exposed_event_keys: ["model"],
      filters: { and: [{ property: "status", op: "lt", value: 400 }] },
      distinct_by: null,
      segments: [
        {
          name: "EU",
          color: "red",
          filters: { or: [{ property: "region", op: "in", value: ["eu-west", "eu-central"] }] },
        },
      ],
      allow_negative: true,
      decimal_places: 4,
      default_interval: { count: 2, period: "weeks" },
      display: { interval_days: 7, format: "currency", currency: "EUR", style: "sparkline" },
    };
    const metric = await post(project, given);
    expect(metric).toMatchObject({ ...given, name: "Output tokens" });
    expect(await json(project, "GET /v1/metrics/tokens-out")).toEqual({ ...metric, products: [] });
  });

  test("tells the consumers to read the metrics again, and a refused one does not", async () => {
    const project = await makeProject();
    await post(project, COUNT);
    await post(project, { ...COUNT, slug: "other" });
    expect(await catalogVersion(project)).toBe(3);
    await post(project, { ...COUNT, slug: "other" }, 409);
    await post(project, { ...COUNT, aggregation: "median" }, 400);
    expect(await catalogVersion(project)).toBe(3);
  });

  test("is stored as its definition with the slug", async () => {
    const project = await makeProject();
    const { id } = await post(project, COUNT);
    const row = await env.DB.prepare("SELECT id, slug, version, definition FROM metrics WHERE project_id = ?")
      .bind(project.id)
      .first();
    expect(row).toMatchObject({ id, slug: "api_requests", version: 1 });
    expect(JSON.parse(String(row?.["definition"]))).toMatchObject({
      slug: "api_requests",
      aggregation: "count",
      group_by: [],
    });
  });
});

describe("a slug", () => {
  test("that is free is made when none is given", async () => {
    const project = await makeProject();
    const slugs = [];
    for (const name of ["API Requests", "api requests", "API-Requests!", "Größe", "日本語", "!!!"])
      slugs.push((await post(project, { ...COUNT, name })).slug);
    expect(slugs).toEqual(["api_requests", "api_requests_2", "api_requests_3", "groesse", "metric", "metric_2"]);
  });

  test("is free for each of many who ask at once", async () => {
    const project = await makeProject();
    const made = await Promise.all(Array.from({ length: 4 }, () => post(project, COUNT)));
    expect(new Set(made.map(({ slug }) => slug)).size).toBe(4);
  });

  test("that is given and taken is refused", async () => {
    const project = await makeProject();
    await post(project, { ...COUNT, slug: "mine" });
    const body = await json<ProblemBody>(project, "POST /v1/metrics", {
      body: { ...COUNT, slug: "mine" },
      status: 409,
    });
    expect(body).toMatchObject({ code: "conflict", errors: [{ pointer: "/slug", code: "taken" }] });
  });

  test("may be the same in two projects", async () => {
    const [one, two] = [await makeProject(), await makeProject()];
    await post(one, { ...COUNT, slug: "mine" });
    await post(two, { ...COUNT, slug: "mine" });
  });
});

test("a project has at most as many metrics as the limit says", async () => {
  const project = await makeProject();
  await env.DB.prepare(
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
     INSERT INTO metrics (project_id, id, slug, version, definition, created_at, updated_at)
     SELECT ?, 'm' || i, 'm' || i, 1, '{}', 0, 0 FROM n`,
  )
    .bind(METRICS_MAX - 1, project.id)
    .run();
  const outcomes = await Promise.all([1, 2, 3].map(() => call(project, "POST /v1/metrics", { body: COUNT })));
  expect(outcomes.map(({ status }) => String(status)).toSorted()).toEqual(["201", "409", "409"]);
});

describe("a body that is not a metric names the field and the remedy", () => {
  const deep = { ...COUNT, display: { interval_days: 8 } };
  test.each([
    [
      {},
      [
        ["/name", "missing"],
        ["/event_matchers", "missing"],
        ["/aggregation", "invalid_value"],
      ],
    ],
    [
      { ...COUNT, colour: "red", "a/b~c": 1 },
      [
        ["/colour", "unknown_field"],
        ["/a~1b~0c", "unknown_field"],
      ],
    ],
    [{ ...COUNT, name: "" }, [["/name", "too_small"]]],
    [{ ...COUNT, name: "x".repeat(129) }, [["/name", "too_big"]]],
    [{ ...COUNT, name: "a\u202eb" }, [["/name", "invalid_value"]]],
    [{ ...COUNT, name: 7 }, [["/name", "invalid_type"]]],
    [{ ...COUNT, slug: "Not A Slug" }, [["/slug", "invalid_value"]]],
    [{ ...COUNT, event_matchers: [] }, [["/event_matchers", "too_small"]]],
    [{ ...COUNT, event_matchers: [{ event: "a", filter: 1 }] }, [["/event_matchers/0/filter", "unknown_field"]]],
    [{ ...COUNT, aggregation: "sum" }, [["/value_property", "invalid_value"]]],
    [{ ...COUNT, value_property: "n" }, [["/value_property", "invalid_value"]]],
    [{ ...COUNT, aggregation: "sum", value_property: "a..b" }, [["/value_property", "invalid_value"]]],
    [{ ...COUNT, aggregation: "sum", value_property: "a.constructor" }, [["/value_property", "invalid_value"]]],
    [{ ...COUNT, group_by: ["a", "a"] }, [["/group_by", "invalid_value"]]],
    [{ ...COUNT, group_by: ["a", "b", "c", "d", "e", "f"] }, [["/group_by", "too_big"]]],
    [{ ...COUNT, decimal_places: 10 }, [["/decimal_places", "too_big"]]],
    [{ ...COUNT, decimal_places: 1.5 }, [["/decimal_places", "invalid_type"]]],
    [{ ...COUNT, default_interval: { count: 0, period: "days" } }, [["/default_interval/count", "too_small"]]],
    [deep, [["/display/interval_days", "invalid_value"]]],
    [{ ...COUNT, display: { format: "currency" } }, [["/display/currency", "invalid_value"]]],
    [{ ...COUNT, filters: { and: [] } }, [["/filters/and", "invalid_value"]]],
    [
      { ...COUNT, filters: { and: [{ property: "a", op: "matches", value: ".*" }] } },
      [["/filters/and/0/op", "invalid_value"]],
    ],
    [[COUNT], [["", "invalid_type"]]],
    ["null", [["", "invalid_type"]]],
  ])("%j", async (body, expected) => {
    const problem = await json<ProblemBody>(await makeProject(), "POST /v1/metrics", { body, status: 400 });
    expect(problem.code).toBe("invalid_request");
    expect(problem.errors?.map(({ pointer, code }) => [pointer, code])).toEqual(expected);
    for (const { detail } of problem.errors ?? []) expect(detail).toMatch(/^[A-Z].*\.$/);
  });

  test.each([
    ["not JSON", "{", "application/json", 400, "malformed_body"],
    ["empty", "", "application/json", 400, "malformed_body"],
    [
      "with a prototype in it",
      '{"name":"a","display":{"__proto__":{"x":1}}}',
      "application/json; charset=utf-8",
      400,
      "malformed_body",
    ],
    ["a form", "name=a", "application/x-www-form-urlencoded", 415, "unsupported_media_type"],
    ["not UTF-8", new Uint8Array([0x22, 0xff, 0x22]), "application/json", 400, "malformed_body"],
    ["too large", `"${"x".repeat(100_000)}"`, "application/json", 413, "too_large"],
    ["nested thousands of times", "[".repeat(5_000) + "]".repeat(5_000), "application/json", 400, "malformed_body"],
  ])("a body that is %s", async (_what, body, type, status, code) => {
    const project = await makeProject();
    const response = await call(project, "POST /v1/metrics", { body, headers: { "content-type": type } });
    expect([response.status, (await response.json<ProblemBody>()).code]).toEqual([status, code]);
  });
});

describe("the list of metrics", () => {
  test("is read page by page, each once", async () => {
    const project = await makeProject();
    for (const slug of ["d", "a", "c", "b", "e"]) await post(project, { ...COUNT, slug });
    const seen: string[] = [];
    let path = "GET /v1/metrics?limit=2";
    for (let page = 0; page < 3; page++) {
      const { data, next_cursor } = await json<{ data: MetricDefinition[]; next_cursor: string | null }>(project, path);
      seen.push(...data.map(({ slug }) => slug));
      path = `GET /v1/metrics?limit=2&cursor=${next_cursor}`;
      if (page === 2) expect(next_cursor).toBeNull();
    }
    expect(seen).toEqual(["a", "b", "c", "d", "e"]);
  });

  test.each(["x", "bm90IGEgY3Vyc29y", "WyJjdXN0b21lcnMiLCJhIl0", "WyJtZXRyaWNzIiwxXQ", "WyJtZXRyaWNzIl0", "%00"])(
    "refuses the cursor %s",
    async (cursor) => {
      const problem = await json<ProblemBody>(await makeProject(), `GET /v1/metrics?cursor=${cursor}`, { status: 400 });
      expect(problem.code).toBe("invalid_cursor");
    },
  );

  test.each([
    ["limit=0", "/limit"],
    ["limit=501", "/limit"],
    ["limit=ten", "/limit"],
    ["cursor=", "/cursor"],
    ["page=2", "/page"],
  ])("refuses %s", async (query, pointer) => {
    const problem = await json<ProblemBody>(await makeProject(), `GET /v1/metrics?${query}`, { status: 400 });
    expect(problem.errors?.[0]?.pointer).toBe(pointer);
  });
});
