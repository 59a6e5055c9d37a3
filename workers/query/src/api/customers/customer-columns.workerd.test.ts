import type { ProblemBody } from "@tidemark/contract";
import type { Customers } from "@tidemark/contract/customer-schema";
import type { MetricInput } from "@tidemark/contract/metric-schema";
import { CUSTOMERS_RANKED_MAX, QUERY_HOURLY_DAYS_MAX } from "@tidemark/contract/query-limits";
import type { Aggregation } from "@tidemark/core";
import { changeOf } from "@tidemark/core/change";
import { DAY_MS, dayOf, HOUR_MS } from "@tidemark/core/timestamp";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { compose } from "../../../test/compose.ts";
import {
  call,
  insertCustomer,
  json,
  makeMetric,
  makeProject,
  recordStatements,
  store,
  type TestProject,
  type Use,
} from "../../../test/fixture.ts";

const NOW = Date.parse("2026-11-21T15:30:00Z");

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Every customer of a list, page by page. */
async function readAll(project: TestProject, query: string, limit = 3): Promise<Customers["data"]> {
  const all: Customers["data"] = [];
  for (let cursor = ""; ;) {
    const page = await json<Customers>(project, `GET /v1/customers?${query}&limit=${limit}${cursor}`);
    all.push(...page.data);
    if (page.next_cursor === null) return all;
    cursor = `&cursor=${page.next_cursor}`;
  }
}

const ids = (customers: Customers["data"]): string[] => customers.map(({ customer_id }) => customer_id);

const INTERVALS = [7, 30, 90] as const;
const DISPLAY = { format: "numeric", currency: null, style: "number" } as const;

const anyUse = fc.record({
  customer: fc.constantFrom("a", "b", "c", "d", "=e", "ü"),
  at: fc.integer({ min: 0, max: 24 * 130 }).map((hours) => NOW - hours * HOUR_MS),
  value: fc.integer({ min: -9, max: 9 }),
});

describe.each(["UTC", "America/New_York"])("columns of a list, in %s", (zone) => {
  /** Where the last days begin in the zone, whose clocks went back on 1 November; today is the last of them. */
  const startOf = (daysAgo: number): number => {
    const midnight = Date.parse("2026-11-21") - daysAgo * DAY_MS;
    if (zone === "UTC") return midnight;
    return midnight + (midnight > Date.parse("2026-11-01") ? 5 : 4) * HOUR_MS;
  };

  test.each<Aggregation>(["count", "sum", "max", "min", "latest", "unique"])(
    "are right for a %s, over each interval, and sorted by it page by page",
    async (aggregation) => {
      const project = await makeProject(zone);
      const rules: Partial<MetricInput> = {
        aggregation,
        ...(aggregation === "unique" ? { distinct_by: "u" } : aggregation === "count" ? {} : { value_property: "n" }),
        decimal_places: aggregation === "count" || aggregation === "unique" ? 0 : 1,
        allow_negative: true,
      };
      const uses = fc.sample(anyUse, { numRuns: 120, seed: 11 }).map((use, index): Use => ({
        ...use,
        id: `e${index}`,
        value: aggregation === "count" ? 1 : aggregation === "unique" ? use.value + 10 : use.value,
      }));
      for (const id of ["silent", "also silent"]) await insertCustomer(project, id, null).run();
      for (const days of INTERVALS) {
        const metric = await makeMetric(project, {
          ...rules,
          name: `M${days}`,
          slug: `m${days}`,
          display: { ...DISPLAY, interval_days: days },
        });
        await store(project, metric.id, uses, 1, aggregation);
      }
      const listed = await readAll(project, "metrics=all");
      expect(ids(listed)).toEqual(["=e", "a", "also silent", "b", "c", "d", "silent", "ü"]);
      for (const days of INTERVALS) {
        const over = (customer: string, from: number, until: number): bigint | undefined =>
          compose(
            aggregation,
            uses.filter((use) => use.customer === customer && use.at >= startOf(from) && use.at < startOf(until)),
          );
        const places = rules.decimal_places === 1;
        const show = (total: bigint | undefined): string | null => {
          if (total === undefined) return ["max", "min", "latest"].includes(aggregation) ? null : "0";
          if (!places) return total.toString();
          const size = total < 0n ? -total : total;
          return `${total < 0n ? "-" : ""}${size / 10n}${size % 10n === 0n ? "" : `.${size % 10n}`}`;
        };
        for (const { customer_id, usage } of listed)
          expect(usage?.[`m${days}`], `${customer_id} ${days}`).toEqual({
            value: show(over(customer_id, days - 1, -1)),
            previous: show(over(customer_id, 2 * days - 1, days - 1)),
            change: changeOf(over(customer_id, days - 1, 0) ?? 0n, over(customer_id, 2 * days - 1, days) ?? 0n),
            approximate: false,
          });
        for (const sign of ["", "-"]) {
          const valueOf = (id: string): bigint | undefined => over(id, days - 1, -1);
          const expected = ids(listed).toSorted((a, b) => {
            const [left, right] = [valueOf(a), valueOf(b)];
            if (left === right) return a < b ? -1 : 1;
            if (left === undefined || right === undefined) return left === undefined ? 1 : -1;
            return left < right === (sign === "-") ? 1 : -1;
          });
          expect(ids(await readAll(project, `sort=${sign}m${days}`)), `${sign}${days}`).toEqual(expected);
        }
      }
    },
  );
});

describe("a list of customers", () => {
  async function example(): Promise<TestProject> {
    const project = await makeProject();
    const metric = await makeMetric(project, { slug: "calls", name: "Calls", aggregation: "sum", value_property: "n" });
    const use = (customer: string, value: number, daysAgo = 1): Use => ({
      customer,
      value,
      at: NOW - daysAgo * DAY_MS,
    });
    await store(project, metric.id, [use("a1", 5), use("a2", 50), use("b1", 500), use("b2", 5, 20), use("=x", -7, 2)]);
    await insertCustomer(project, "zero", null).run();
    const say = (id: string, body: object) => json(project, `PATCH /v1/customers/${encodeURIComponent(id)}`, { body });
    await say("a1", { name: "Zeta" });
    await say("b1", { name: "alpha Corp", plan: "pro" });
    await say("a2", { name: "=Formula", plan: "pro" });
    return project;
  }

  test.each([
    ["sort=name", ["a2", "b1", "a1", "=x", "b2", "zero"]],
    ["sort=-name", ["a1", "b1", "a2", "=x", "b2", "zero"]],
    ["sort=-customer_id", ["zero", "b2", "b1", "a2", "a1", "=x"]],
    ["sort=-first_seen_at", ["a1", "a2", "b1", "=x", "b2", "zero"]],
    ["sort=first_seen_at", ["b2", "=x", "a1", "a2", "b1", "zero"]],
    ["sort=-last_seen_at&metrics=calls", ["a1", "a2", "b1", "=x", "b2", "zero"]],
    ["sort=-calls", ["b1", "a2", "a1", "b2", "=x", "zero"]],
    ["sort=calls", ["=x", "a1", "b2", "a2", "b1", "zero"]],
    ["sort=-metric:calls&min=5", ["b1", "a2", "a1", "b2"]],
    ["sort=calls&min=5.0&q=b", ["b2", "b1"]],
    ["q=CORP", ["b1"]],
    ["q=a", ["a1", "a2", "b1"]],
    ["q=a&sort=-calls", ["b1", "a2", "a1"]],
    ["plan=pro&sort=calls", ["a2", "b1"]],
    ["plan=pro&sort=-name", ["b1", "a2"]],
    ["q=%25", []],
  ])("with %s is in this order, on pages of two", async (query, expected) => {
    const project = await example();
    expect(ids(await readAll(project, query, 2))).toEqual(expected);
  });

  test("names its columns, and says when they were read", async () => {
    const project = await example();
    const list = await json<Customers>(project, "GET /v1/customers?metrics=calls&q=b1");
    expect(list).toMatchObject({
      metrics: [
        {
          metric: "calls",
          name: "Calls",
          unit: "events",
          days: 30,
          format: "numeric",
          currency: null,
          style: "number",
        },
      ],
      time_zone: "UTC",
      as_of: "2026-11-21T15:30:00Z",
      data: [{ customer_id: "b1", last_seen_at: "2026-11-20T15:30:00Z" }],
    });
    expect(await json<Customers>(project, "GET /v1/customers?q=b1")).not.toHaveProperty("metrics");
  });

  test("shows no less than nothing of a metric that cannot be negative", async () => {
    const project = await example();
    const { data } = await json<Customers>(project, "GET /v1/customers?metrics=calls&q=%3Dx");
    expect(data[0]?.usage?.["calls"]).toMatchObject({ value: "0", previous: "0", change: null });
  });

  test("is a file that no spreadsheet runs, and says where it goes on", async () => {
    const project = await example();
    const file = await call(project, "GET /v1/customers?sort=-calls&format=csv&plan=pro");
    expect(file.headers.get("content-type")).toContain("text/csv");
    expect(await file.text()).toBe(
      "customer_id,name,plan,time_zone,first_seen_at,last_seen_at,calls,calls.previous,calls.change\r\n" +
        "b1,alpha Corp,pro,,2026-11-20T15:30:00Z,2026-11-20T15:30:00Z,500,0,\r\n" +
        "a2,'=Formula,pro,,2026-11-20T15:30:00Z,2026-11-20T15:30:00Z,50,0,\r\n",
    );
    expect(file.headers.get("link")).toBeNull();
    const lines = await call(project, "GET /v1/customers", { headers: { accept: "application/x-ndjson" } });
    expect((await lines.text()).trim().split("\n")).toHaveLength(6);
  });

  test("keeps its place while usage changes between pages", async () => {
    const project = await example();
    const first = await json<Customers>(project, "GET /v1/customers?sort=-calls&limit=2");
    expect(ids(first.data)).toEqual(["b1", "a2"]);
    const { id } = await json<{ id: string }>(project, "GET /v1/metrics/calls");
    await store(
      project,
      id,
      [
        { customer: "new", value: 1_000, at: NOW },
        { customer: "small", value: 6, at: NOW },
      ],
      2,
    );
    const second = await json<Customers>(
      project,
      `GET /v1/customers?sort=-calls&limit=2&cursor=${first.next_cursor ?? ""}`,
    );
    expect(ids(second.data)).toEqual(["small", "a1"]);
  });

  test("adds usage up once for all pages of an order", async () => {
    const project = await example();
    const first = await json<Customers>(project, "GET /v1/customers?sort=-calls&limit=2");
    const { DB, statements } = recordStatements();
    await json(project, `GET /v1/customers?sort=-calls&limit=2&cursor=${first.next_cursor ?? ""}`, {
      bindings: { DB },
    });
    expect(statements.filter(({ sql }) => sql.includes("WITH totals"))).toEqual([]);
  });

  test("shows nothing of another project", async () => {
    const [mine, other] = [await example(), await makeProject()];
    await makeMetric(other, { slug: "calls" });
    const { data } = await json<Customers>(other, "GET /v1/customers?sort=-calls");
    expect(data).toEqual([]);
    expect(ids(await readAll(mine, "sort=-calls"))).toHaveLength(6);
  });

  test("goes on through more customers than are ordered at a time", async () => {
    const project = await makeProject();
    const metric = await makeMetric(project, { slug: "calls" });
    const count = CUSTOMERS_RANKED_MAX + 30;
    const numbers = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})`;
    await env.DB.batch([
      env.DB.prepare(
        `INSERT INTO customers (project_id, customer_id, created_at) ${numbers} SELECT ?, format('c%06d', i), 0 FROM n`,
      ).bind(project.id),
      env.DB.prepare(
        `INSERT INTO usage_days (project_id, metric_id, day, customer_id, version, value, events, rejected, last_at, groups)
         ${numbers} SELECT ?, ?, ?, format('c%06d', i), 1, i / 2, 1, 0, ?, '[]' FROM n`,
      ).bind(project.id, metric.id, dayOf(NOW), NOW),
      ...["silent1", "silent2", "silent3"].map((id) => insertCustomer(project, id, null)),
    ]);
    const { DB, statements } = recordStatements();
    let seen = 0;
    for (let link: string | null = "/v1/customers?sort=-calls&format=ndjson"; link !== null;) {
      const file: Response = await call(project, `GET ${link}`, { bindings: { DB } });
      const rows = (await file.text())
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as Customers["data"][number]);
      for (const { customer_id, usage } of rows) {
        seen++;
        if (customer_id.startsWith("silent")) expect(seen).toBeGreaterThan(count);
        else expect(usage?.["calls"]?.value).toBe(String(Math.floor(Number(customer_id.slice(1)) / 2)));
      }
      link = /<(.*)>/.exec(file.headers.get("link") ?? "")?.[1] ?? null;
    }
    expect(seen).toBe(count + 3);
    // Pages of those without a value do not look through all days again.
    const cursor = btoa(JSON.stringify(["customers -calls", "", "", "", "silent1"]));
    const path = `GET /v1/customers?sort=-calls&limit=1&cursor=${cursor}`;
    expect(ids((await json<Customers>(project, path, { bindings: { DB } })).data)).toEqual(["silent2"]);
    const scans = statements.filter(({ sql }) => sql.includes("NOT IN"));
    expect(scans).toHaveLength(1);
  });

  test("is refused in the order of a metric that has too many days to add up", async () => {
    const project = await makeProject();
    const metric = await makeMetric(project, { slug: "level", aggregation: "latest", value_property: "n" });
    await env.DB.prepare(
      `INSERT INTO usage_days (project_id, metric_id, day, customer_id, version, value, events, rejected, last_at, groups)
       WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ?3)
       SELECT ?1, ?2, ?4, i, 1, 1, 1, 0, 0, '[]' FROM n`,
    )
      .bind(project.id, metric.id, QUERY_HOURLY_DAYS_MAX, dayOf(NOW))
      .run();
    const problem = await json<ProblemBody>(project, "GET /v1/customers?sort=level", { status: 400 });
    expect(problem.errors).toMatchObject([{ pointer: "/sort", code: "too_many_rows" }]);
    expect(problem.errors?.[0]?.detail).toMatch(/more than 150000 days .*shorter display interval/);
    await json(project, "GET /v1/customers?sort=-last_seen_at&metrics=level&limit=1");
  });

  test.each([
    ["sort=nothing", "/sort", "invalid_value"],
    ["sort=Calls!", "/sort", "invalid_value"],
    ["sort=last_seen_at", "/sort", "invalid_value"],
    ["metrics=calls,nothing", "/metrics", "invalid_value"],
    ["min=5", "/min", "invalid_value"],
    ["sort=calls&min=1.5", "/min", "invalid_value"],
    ["sort=calls&min=lots", "/min", "invalid_value"],
    ["format=xml", "/format", "invalid_value"],
    ["metric=calls", "/metric", "unknown_field"],
  ])("refuses %s", async (query, pointer, code) => {
    const project = await example();
    const problem = await json<ProblemBody>(project, `GET /v1/customers?${query}`, { status: 400 });
    expect(problem.errors?.map((error) => [error.pointer, error.code])).toEqual([[pointer, code]]);
  });

  test("refuses the cursor of another order", async () => {
    const project = await example();
    const { next_cursor } = await json<Customers>(project, "GET /v1/customers?sort=-calls&limit=2");
    const problem = await json<ProblemBody>(project, `GET /v1/customers?sort=calls&cursor=${next_cursor ?? ""}`, {
      status: 400,
    });
    expect(problem.code).toBe("invalid_cursor");
  });

  test.each([
    ["calls", ["", "", "lots", "a"]],
    ["calls", ["5", "", "5", "a"]],
    ["calls", ["", "", 5, "a"]],
    ["name", ["text", "a"]],
  ])("refuses a cursor of %s that is made up", async (sort, key) => {
    const project = await example();
    const cursor = btoa(JSON.stringify([`customers ${sort}`, ...key]));
    const problem = await json<ProblemBody>(project, `GET /v1/customers?sort=${sort}&cursor=${cursor}`, {
      status: 400,
    });
    expect(problem.code).toBe("invalid_cursor");
  });
});
