import type { ProblemBody } from "@tidemark/contract";
import type { NearLimitAnswer } from "@tidemark/contract/report-schema";
import type { ReportName } from "@tidemark/contract/reports";
import { DAY_MS } from "@tidemark/core/timestamp";
import { insertNearLimits } from "@tidemark/db/near-limits";
import { CHART_IMAGE_STYLE_SOURCE } from "@tidemark/ui";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { call, json, makeMetric, makeProject, store } from "../../test/fixture.ts";
import { consume, setAllowance } from "../../test/quota-fixture.ts";
import { FORMULA, HOSTILE, makeUsedProject, NOW, open, publish, RANKING } from "../../test/publication.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
});

const REPORTS: readonly (readonly [ReportName, Readonly<Record<string, string | number>>])[] = [
  ["top-customers", { days: 7, limit: 5 }],
  ["growing", { days: 7, limit: 5 }],
  ["dropping", { days: 7, limit: 5 }],
  ["dormant", { days: 30, limit: 5 }],
  ["near-limit", { days: 30, limit: 5 }],
  ["heavy-labels", { days: 30, limit: 5, label: "endpoint" }],
  ["hour-of-day", { days: 30, limit: 5 }],
  ["error-rate", { days: 30, limit: 5 }],
];

const QUERY = { metric: "api_requests", group_by: ["customer"], range: { days: 30 } };
const BY_DAY = { metric: "api_requests", group_by: ["day"], range: { days: 7 } };

describe("every report", () => {
  test.each(REPORTS)("%s is shown without a login, with the API's own figures", async (report, others) => {
    const project = await makeUsedProject();
    const params = { metric: "api_requests", ...others };
    const { path, key } = await publish({ report, params }, project);
    const page = await open(project, `${path}?key=${key}`);
    const html = await page.text();
    expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html; charset=UTF-8"]);
    expect(html).toContain("Top &lt;b&gt;customers&lt;/b&gt; &amp; more");
    expect(html).toContain("As of 21 Nov 2026, 15:30 UTC");
    expect(html).not.toMatch(/<script|<style| style=| on\w+=/);

    const query = Object.entries(params).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
    const target = `GET /v1/reports/${report}?${query.join("&")}`;
    expect(await (await open(project, `${path}.json?key=${key}`)).json()).toEqual({
      title: RANKING.title,
      ...(await json(project, target)),
    });
    const csv = await open(project, `${path}.csv?key=${key}`);
    expect(csv.headers.get("content-disposition")).toBe(`attachment; filename="${report}-api_requests.csv"`);
    expect(await csv.text()).toBe(await (await call(project, `${target}&format=csv`)).text());
  });
});

describe("a query", () => {
  test("is shown with the API's own figures", async () => {
    const { project, path, key, made } = await publish({ query: QUERY });
    expect(made.query).toMatchObject(QUERY);
    const html = await (await open(project, `${path}?key=${key}`)).text();
    expect(html).toContain("acme &lt;script&gt;");
    const answer = await json(project, "POST /v1/query", { body: QUERY });
    expect(await (await open(project, `${path}.json?key=${key}`)).json()).toEqual({ title: made.title, ...answer });
    const csv = await (await open(project, `${path}.csv?key=${key}`)).text();
    expect(csv.split("\r\n").slice(0, 2)).toEqual(["customer_id,name,value", "quiet,,12"]);
    expect(csv).toContain(`'${FORMULA}`);
  });
});

describe("a chart", () => {
  test.each([
    ["bars", { params: { metric: "api_requests", days: 7, limit: 5 } }],
    ["columns", { query: BY_DAY }],
  ])("of %s is a picture that fetches nothing and says what it shows", async (_kind, body) => {
    const { project, path, key } = await publish(body);
    const response = await open(project, `${path}.svg?key=${key}`);
    const svg = await response.text();
    expect([response.status, response.headers.get("content-type")]).toEqual([200, "image/svg+xml; charset=utf-8"]);
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"[^>]* role="img" aria-labelledby="title desc">/);
    expect(svg).toContain('<title id="title">Top &lt;b&gt;customers&lt;/b&gt; &amp; more</title><desc id="desc">');
    expect(svg).not.toMatch(/<script|href|url\(|@import/);
    expect(svg).not.toContain(key);
    expect(response.headers.get("content-security-policy")).toBe(
      `default-src 'none'; style-src ${CHART_IMAGE_STYLE_SOURCE}; img-src 'self' data:; base-uri 'none'; ` +
        "form-action 'none'; frame-ancestors 'none'",
    );
    expect(response.headers.get("x-robots-tag")).toBe("noindex, nofollow, noarchive");
  });

  test("is well-formed whatever programs sent as labels", async () => {
    const project = await makeProject();
    const { id } = await makeMetric(project, { group_by: ["endpoint"] });
    const labels = ["a\u0000b", "\u001b[31m", "\ufffe\uffff", "tab\tline\n", "👩🏽‍🚀"];
    await store(
      project,
      id,
      labels.map((label) => ({ customer: "acme", at: NOW, labels: [label] })),
    );
    const { path, key } = await publish({ query: { ...QUERY, group_by: ["endpoint"] } }, project);
    const svg = await (await open(project, `${path}.svg?key=${key}`)).text();
    for (const shown of ["a\ufffdb", "\ufffd[31m", "\ufffd\ufffd", "tab\tline\n", "👩🏽‍🚀"]) expect(svg).toContain(shown);
    expect(svg).not.toMatch(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u);
  });

  test("that a report does not have is missing, and the answer says where its figures are", async () => {
    const { project, path, key } = await publish({ report: "heavy-labels", params: { metric: "api_requests" } });
    const response = await open(project, `${path}.svg?key=${key}`);
    expect([response.status, response.headers.get("content-type")]).toEqual([404, "application/problem+json"]);
    expect(await response.text()).toContain(".csv");
  });
});

describe("with aliases", () => {
  const options = { alias_customers: true };
  const files = ["", ".json", ".csv", ".svg"];
  const secrets = [HOSTILE, "acme", "alert(1)", FORMULA, "globex", "quiet"];

  test.each<readonly [string, object]>([
    ...REPORTS.filter(([report]) => report !== "near-limit").map(
      ([report, others]) => [report, { report, params: { metric: "api_requests", ...others } }] as const,
    ),
    ["a query", { query: QUERY }],
    ["a query by customer and label", { query: { ...QUERY, group_by: ["endpoint", "customer"] } }],
  ])("%s names no customer, in whatever file", async (_name, body) => {
    const { project, path, key } = await publish({ ...body, options });
    for (const file of files) {
      const response = await open(project, `${path}${file}?key=${key}`);
      const text = await response.text();
      expect(response.status, text).toBe(file === ".svg" && text.includes("has no chart") ? 404 : 200);
      for (const secret of secrets) expect(text, `${file} has ${secret}`).not.toContain(secret);
      if (file === ".json" && text.includes("customer_id")) expect(text).toMatch(/"Customer [0-9A-Z]{4}-[0-9A-Z]{4}"/);
    }
  });

  test("near-limit has no id of a balance, which is the same in every publication", async () => {
    const project = await makeProject();
    const { id } = await makeMetric(project, { slug: "calls", type: "limit_metered" });
    await setAllowance(project, "acme", { metric: "calls", base: 10, enforcement: "hard" });
    await consume(project, "acme", "calls", { amount: 9 });
    const balances = [{ metric_id: id, balance: "b", at: NOW, cycle_end: NOW + DAY_MS }];
    const message = { kind: "near_limits", project_id: project.id, customer_id: "acme", balances } as const;
    await insertNearLimits(env.DB, message).run();
    const { path, key } = await publish({ report: "near-limit", params: { metric: "calls" }, options }, project);
    const [live] = (await json<NearLimitAnswer>(project, "GET /v1/reports/near-limit?metric=calls")).data;
    expect(live?.balance_id).toMatch(/^alw_/);
    for (const file of files.slice(0, 3)) {
      const text = await (await open(project, `${path}${file}?key=${key}`)).text();
      expect(text).toContain("Customer ");
      for (const secret of ["acme", "alw_"]) expect(text, file).not.toContain(secret);
    }
  });

  test("a customer keeps an alias within a publication, and has another in the next", async () => {
    const project = await makeUsedProject();
    const read = async ({ path, key }: { readonly path: string; readonly key: string }): Promise<string[]> => {
      const answer = await (await open(project, `${path}.json?key=${key}`)).json<{ data: { customer_id: string }[] }>();
      return answer.data.map(({ customer_id }) => customer_id);
    };
    const [first, second] = [await publish({ options }, project), await publish({ options }, project)];
    const aliases = await read(first);
    expect(new Set(aliases).size).toBe(2);
    vi.setSystemTime(NOW + DAY_MS);
    expect(await read(first)).toEqual(aliases);
    for (const alias of await read(second)) expect(aliases).not.toContain(alias);
  });
});

test("a report of what was deleted says so to whoever has the link, and to nobody else", async () => {
  const { project, path, key } = await publish();
  await call(project, "DELETE /v1/metrics/api_requests");
  const page = await open(project, `${path}?key=${key}`);
  expect([page.status, await page.text()]).toEqual([404, expect.stringContaining("cannot be made any more") as string]);
  const wrong = await (await open(project, `${path}?key=${"x".repeat(32)}`)).text();
  expect(wrong).toContain("does not open a report");
  expect((await open(project, `${path}.json?key=${key}`)).status).toBe(404);
});

test("a query that has become too long says so, and not that something was deleted", async () => {
  const { project, path, key, made } = await publish({ query: QUERY });
  const query = JSON.stringify({ query: { ...made.query, range: { from: "2025-11-21" } }, options: made.options });
  await env.DB.prepare("UPDATE publications SET query = ? WHERE id = ?").bind(query, made.id).run();
  expect((await open(project, `${path}?key=${key}`)).status).toBe(200);
  vi.setSystemTime(NOW + 100 * DAY_MS);
  const page = await open(project, `${path}?key=${key}`);
  expect([page.status, await page.text()]).toEqual([404, expect.stringContaining("nothing was deleted") as string]);
  const problem = await (await open(project, `${path}.json?key=${key}`)).json<ProblemBody>();
  expect(problem).toMatchObject({ code: "not_found", detail: expect.stringContaining("more days than") as string });
});

test("a report of nothing says what it waits for", async () => {
  const project = await makeProject();
  await makeMetric(project);
  const { path, key } = await publish({ report: "growing", params: { metric: "api_requests" } }, project);
  const html = await (await open(project, `${path}?key=${key}`)).text();
  expect(html).toContain("Nothing to show yet.");
  expect(html).not.toContain("<table");
});
