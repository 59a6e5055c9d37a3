import type { ProblemBody } from "@tidemark/contract";
import type { Usage } from "@tidemark/contract/usage-schema";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { call, json, makeMetric, makeProject, store } from "../../../test/fixture.ts";

const NOW = Date.parse("2026-11-21T15:30:00Z");
const at = (text: string): number => Date.parse(text);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
});

describe("without from and to", () => {
  test("usage spans the metric's default interval, in the project's zone, with today whole", async () => {
    const project = await makeProject("Europe/Berlin");
    const metric = await makeMetric(project, { default_interval: { count: 7, period: "days" } });
    await store(project, metric.id, [
      { customer: "a", at: at("2026-11-14T22:59Z") },
      { customer: "a", at: at("2026-11-14T23:00Z") },
      { customer: "a", at: NOW },
    ]);
    const usage = await json<Usage>(project, `GET /v1/usage?metric=${metric.slug}`);
    expect(usage).toMatchObject({
      metric: "api_requests",
      customer_id: null,
      grain: "day",
      time_zone: "Europe/Berlin",
      approximate: false,
      live: false,
      rejected: 0,
      from: "2026-11-14T23:00:00Z",
      to: "2026-11-21T23:00:00Z",
      as_of: "2026-11-21T15:30:00Z",
    });
    expect(usage.data.map(({ value }) => value)).toEqual(["1", "0", "0", "0", "0", "0", "1"]);
  });

  test("an interval longer than a query may span is cut", async () => {
    const project = await makeProject();
    const metric = await makeMetric(project, { default_interval: { count: 5, period: "years" } });
    const usage = await json<Usage>(project, `GET /v1/usage?metric=${metric.slug}&grain=month`);
    expect(usage.from).toBe("2025-10-18T00:00:00Z");
  });

  test("part of an hour is taken whole, and the answer says so", async () => {
    const project = await makeProject();
    const metric = await makeMetric(project);
    await store(project, metric.id, [
      { customer: "a", at: at("2026-11-21T10:05Z") },
      { customer: "a", at: at("2026-11-21T11:55Z") },
    ]);
    const usage = await json<Usage>(
      project,
      `GET /v1/usage?metric=${metric.slug}&from=2026-11-21T10:30:00Z&to=2026-11-21T11:30:00Z&grain=day`,
    );
    expect(usage).toMatchObject({ from: "2026-11-21T10:00:00Z", to: "2026-11-21T12:00:00Z" });
    expect(usage.data).toEqual([{ start: "2026-11-21T10:00:00Z", end: "2026-11-21T12:00:00Z", value: "2" }]);
  });

  test("an offset whose plus sign arrives as a space is understood", async () => {
    const project = await makeProject();
    const metric = await makeMetric(project);
    const usage = await json<Usage>(
      project,
      `GET /v1/usage?metric=${metric.slug}&from=2026-11-21T10:00:00+02:00&to=2026-11-21T12:00:00+02:00&grain=hour`,
    );
    expect(usage).toMatchObject({ from: "2026-11-21T08:00:00Z", to: "2026-11-21T10:00:00Z" });
  });
});

describe("the answer is written", () => {
  const CSV = "start,end,model,value\r\n2026-11-20T00:00:00Z,2026-11-21T00:00:00Z,'=HYPERLINK(1),2\r\n";
  const NDJSON =
    '{"start":"2026-11-20T00:00:00Z","end":"2026-11-21T00:00:00Z","value":"2","group":{"model":"=HYPERLINK(1)"}}\n';
  test.each([
    ["as CSV by Accept", "", "text/csv", "text/csv; charset=utf-8; header=present", CSV],
    [
      "as CSV by format, whatever is accepted",
      "&format=csv",
      "application/json",
      "text/csv; charset=utf-8; header=present",
      CSV,
    ],
    [
      "as NDJSON by Accept",
      "",
      "application/x-ndjson, application/json;q=0.5",
      "application/x-ndjson; charset=utf-8",
      NDJSON,
    ],
    ["as NDJSON by format", "&format=ndjson", "*/*", "application/x-ndjson; charset=utf-8", NDJSON],
    ["as JSON for anything", "", "text/html, */*", "application/json", undefined],
  ])("%s", async (_what, extra, accept, type, text) => {
    const project = await makeProject();
    const metric = await makeMetric(project, { group_by: ["model"] });
    await store(
      project,
      metric.id,
      Array.from({ length: 2 }, () => ({ customer: "a", at: at("2026-11-20T10:00Z"), labels: ["=HYPERLINK(1)"] })),
    );
    const path = `GET /v1/usage?metric=${metric.slug}&from=2026-11-20&to=2026-11-21&group_by=model${extra}`;
    const response = await call(project, path, { headers: { accept } });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe(type);
    expect(response.headers.get("vary")).toBe("accept");
    if (text === undefined) return;
    expect(await response.text()).toBe(text);
    expect(response.headers.get("content-disposition")).toMatch(
      /^attachment; filename="usage-api_requests\.(csv|ndjson)"$/,
    );
  });
});

describe("a question that cannot be answered names the parameter and the remedy", () => {
  test.each([
    ["", "/metric", "missing", /required/],
    ["metric=M&nonsense=1", "/nonsense", "unknown_field", /leave it out/],
    ["metric=M&metric=N", "/metric", "invalid_type", /not several/],
    ["metric=M&grain=minute", "/grain", "invalid_value", /hour, day, week or month/],
    ["metric=M&from=yesterday", "/from", "invalid_value", /2026-11-01T12:00:00Z/],
    ["metric=M&from=2026-02-30", "/from", "invalid_value", /RFC 3339/],
    ["metric=M&to=1764547200", "/to", "invalid_value", /RFC 3339/],
    ["metric=M&from=2026-11-10&to=2026-11-10", "/from", "invalid_value", /before `to`/],
    ["metric=M&from=2025-01-01&to=2026-11-10", "/from", "invalid_value", /400 days/],
    ["metric=M&tz=Mars/Olympus", "/tz", "invalid_value", /Europe\/Berlin/],
    ["metric=M&tz=Asia/Kolkata", "/tz", "invalid_value", /\+05:30.*tz=UTC/],
    ["metric=M&group_by=region", "/group_by", "invalid_value", /model, tier/],
    ["metric=M&group_by=model,model", "/group_by", "invalid_value", /each once/],
    ["metric=plain&group_by=model", "/group_by", "invalid_value", /not split/],
    ["metric=M&customer_id=", "/customer_id", "too_small", /at least 1 character/],
    ["metric=M&format=xml", "/format", "invalid_value", /json, csv or ndjson/],
    [`metric=M&customer_id=${"x".repeat(129)}`, "/customer_id", "too_big", /at most 128 characters/],
  ])("%s", async (query, pointer, code, detail) => {
    const project = await makeProject();
    await makeMetric(project, { slug: "m", group_by: ["model", "tier"] });
    await makeMetric(project, { slug: "plain" });
    const body = await json<ProblemBody>(project, `GET /v1/usage?${query.replace("metric=M", "metric=m")}`, {
      status: 400,
    });
    expect(body.code).toBe("invalid_request");
    expect(body.errors).toEqual([{ pointer, code, detail: expect.stringMatching(detail) as string }]);
    expect(body.detail).toContain(pointer);
  });

  test("a metric that is not there is not found", async () => {
    const project = await makeProject();
    const body = await json<ProblemBody>(project, "GET /v1/usage?metric=nope", { status: 404 });
    expect(body).toMatchObject({ code: "not_found", detail: expect.stringContaining("GET /v1/metrics") as string });
  });

  test("more rows than an answer may have are refused", async () => {
    const project = await makeProject();
    const metric = await makeMetric(project, { group_by: ["id"] });
    await store(
      project,
      metric.id,
      Array.from({ length: 80 }, (_, id) => ({ customer: "a", at: at("2026-11-20T10:00Z"), labels: [String(id)] })),
    );
    const path = `GET /v1/usage?metric=${metric.slug}&from=2026-10-21&to=2026-11-21&group_by=id`;
    const body = await json<ProblemBody>(project, `${path}&grain=hour`, { status: 400 });
    expect(body.errors?.[0]).toMatchObject({ pointer: "/grain", code: "too_many_rows" });
    expect((await json<Usage>(project, `${path}&grain=day`)).data).toHaveLength(80 * 31);
  });

  test("a project whose own zone has half an hour is told to ask for another", async () => {
    const project = await makeProject("Asia/Kolkata");
    const metric = await makeMetric(project);
    const body = await json<ProblemBody>(project, `GET /v1/usage?metric=${metric.slug}`, { status: 400 });
    expect(body.errors?.[0]).toMatchObject({ pointer: "/tz", detail: expect.stringContaining("tz=UTC") as string });
    expect((await json<Usage>(project, `GET /v1/usage?metric=${metric.slug}&tz=UTC`)).data).toHaveLength(30);
  });
});
