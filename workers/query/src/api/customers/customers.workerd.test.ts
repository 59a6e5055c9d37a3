import { decidedCounter, type ProblemBody } from "@tidemark/contract";
import type { Customer, CustomerUsage } from "@tidemark/contract/customer-schema";
import { DAY_MS, dayOf } from "@tidemark/core/timestamp";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  insertCustomer,
  json,
  makeMetric,
  makeProject,
  metersThat,
  store,
  toDays,
  type Use,
} from "../../../test/fixture.ts";

const NOW = Date.parse("2026-11-21T15:30:00Z");

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
});

interface List {
  readonly data: Customer[];
  readonly next_cursor: string | null;
}

describe("the list of customers", () => {
  test("is in the order of ids, and found by how they begin", async () => {
    const project = await makeProject();
    for (const id of ["acme", "acme_eu", "acme%", "Acme", "b", "a", "acmé", "ac'me", "\u{10fffe}"])
      await insertCustomer(project, id, null).run();
    const ids = async (query: string) =>
      (await json<List>(project, `GET /v1/customers${query}`)).data.map(({ customer_id }) => customer_id);
    expect(await ids("")).toEqual(["Acme", "a", "ac'me", "acme", "acme%", "acme_eu", "acmé", "b", "\u{10fffe}"]);
    expect(await ids("?q=acme")).toEqual(["acme", "acme%", "acme_eu"]);
    expect(await ids("?q=acme%25")).toEqual(["acme%"]);
    expect(await ids("?q=acme_")).toEqual(["acme_eu"]);
    expect(await ids("?q=ac%27")).toEqual(["ac'me"]);
    expect(await ids("?q=zzz")).toEqual([]);
  });

  test("is read page by page, each once, within the search", async () => {
    const project = await makeProject();
    for (let i = 0; i < 7; i++) await insertCustomer(project, `acme ü/${i}`, null).run();
    await insertCustomer(project, "other", null).run();
    const seen: string[] = [];
    let cursor = "";
    do {
      const page = await json<List>(project, `GET /v1/customers?q=acme&limit=3${cursor}`);
      seen.push(...page.data.map(({ customer_id }) => customer_id));
      cursor = page.next_cursor === null ? "" : `&cursor=${page.next_cursor}`;
    } while (cursor !== "");
    expect(seen).toEqual(Array.from({ length: 7 }, (_, i) => `acme ü/${i}`));
  });
});

describe("a customer", () => {
  test.each([
    "acme",
    "a/b",
    "100%",
    "ü ñ",
    "a?b#c",
    "%2F",
    "'; DROP TABLE customers;--",
    "<script>alert(1)</script>",
    "💥",
  ])("%s is found by its id and can be changed", async (id) => {
    const project = await makeProject();
    await insertCustomer(project, id, NOW).run();
    const path = `/v1/customers/${encodeURIComponent(id)}`;
    const before = await json<Customer>(project, `GET ${path}`);
    expect(before).toEqual({
      customer_id: id,
      name: null,
      plan: null,
      time_zone: null,
      attributes: {},
      first_seen_at: "2026-11-21T15:30:00Z",
      created_at: "1970-01-01T00:00:00Z",
    });
    const body = { name: `${id} GmbH`, attributes: { tier: 1 } };
    expect(await json(project, `PATCH ${path}`, { body })).toEqual({ ...before, ...body });
    expect(await json(project, `GET ${path}`)).toEqual({ ...before, ...body });
  });

  test("keeps what a change leaves out, and null clears", async () => {
    const project = await makeProject();
    await insertCustomer(project, "acme", null).run();
    const attributes = { region: "eu", seats: 3, trial: false, note: null };
    await json(project, "PATCH /v1/customers/acme", {
      body: { name: "Acme", plan: "pro", time_zone: "Europe/Berlin", attributes },
    });
    const after = await json<Customer>(project, "PATCH /v1/customers/acme", { body: { plan: null } });
    expect(after).toMatchObject({ name: "Acme", plan: null, time_zone: "Europe/Berlin", attributes });
    expect(
      (await json<Customer>(project, "PATCH /v1/customers/acme", { body: { attributes: { a: 1 } } })).attributes,
    ).toEqual({ a: 1 });
    expect(
      (await json<Customer>(project, "PATCH /v1/customers/acme", { body: { attributes: null } })).attributes,
    ).toEqual({});
  });

  test.each([
    [{}, "", "invalid_value"],
    [{ name: "A", email: "a@b" }, "/email", "unknown_field"],
    [{ name: "" }, "/name", "too_small"],
    [{ name: "a\u0000b" }, "/name", "invalid_value"],
    [{ time_zone: "Mars/Olympus" }, "/time_zone", "invalid_value"],
    [{ time_zone: "+02:00" }, "/time_zone", "invalid_value"],
    [{ attributes: { a: { b: 1 } } }, "/attributes/a", "invalid_value"],
    [{ attributes: { a: "x".repeat(501) } }, "/attributes/a", "too_big"],
    [{ attributes: { "": 1 } }, "/attributes/", "invalid_key"],
    [{ attributes: { ["k".repeat(65)]: 1 } }, `/attributes/${"k".repeat(64)}`, "invalid_key"],
    [
      { attributes: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`k${i}`, i])) },
      "/attributes",
      "invalid_value",
    ],
    [{ attributes: [] }, "/attributes", "invalid_type"],
  ])("refuses the change %j", async (body, pointer, code) => {
    const project = await makeProject();
    await insertCustomer(project, "acme", null).run();
    const problem = await json<ProblemBody>(project, "PATCH /v1/customers/acme", { body, status: 400 });
    expect(problem.errors?.map((error) => [error.pointer, error.code])).toEqual([[pointer, code]]);
  });

  test("that nobody knows is not found", async () => {
    const project = await makeProject();
    for (const [method, body] of [
      ["GET", undefined],
      ["PATCH", { name: "x" }],
    ] as const) {
      expect((await json<ProblemBody>(project, `${method} /v1/customers/nobody`, { body, status: 404 })).code).toBe(
        "not_found",
      );
    }
    await json(project, "GET /v1/customers/nobody/usage", { status: 404 });
  });
});

describe("a customer's usage", () => {
  const daily = (perDay: readonly number[]): Use[] =>
    perDay.flatMap((count, index) =>
      Array.from({ length: count }, () => ({ customer: "acme", at: NOW - (perDay.length - 1 - index) * DAY_MS })),
    );

  test("compares the whole days with the same days before, and keeps today out of it", async () => {
    const project = await makeProject();
    const requests = await makeMetric(project, { unit: "requests" });
    await makeMetric(project, { name: "Unused" });
    // Two weeks: the first sums to 28 without its last day, the second to 35, and today has 100 so far.
    await store(project, requests.id, daily([1, 2, 3, 4, 8, 10, 50, 5, 5, 5, 5, 5, 10, 100]));
    const usage = await json<CustomerUsage>(project, "GET /v1/customers/acme/usage?days=7");
    expect(usage).toMatchObject({
      customer_id: "acme",
      days: 7,
      from: "2026-11-15",
      to: "2026-11-21",
      time_zone: "UTC",
      live: true,
    });
    expect(usage.data).toEqual([
      {
        metric: "api_requests",
        name: "API requests",
        unit: "requests",
        days: 7,
        from: "2026-11-15",
        format: "numeric",
        currency: null,
        style: "number",
        value: "135",
        previous: "78",
        change: "0.25",
        compared: { value: "35", previous: "28" },
        approximate: false,
        series: [5, 5, 5, 5, 5, 10, 100].map((value, index) => ({
          day: `2026-11-${15 + index}`,
          value: String(value),
        })),
      },
      {
        metric: "unused",
        name: "Unused",
        unit: "events",
        days: 7,
        from: "2026-11-15",
        format: "numeric",
        currency: null,
        style: "number",
        value: "0",
        previous: "0",
        change: null,
        compared: { value: "0", previous: "0" },
        approximate: false,
        series: Array.from({ length: 7 }, (_, index) => ({ day: `2026-11-${15 + index}`, value: "0" })),
      },
    ]);
  });

  test("has no change where there was nothing before, whatever there is now", async () => {
    const project = await makeProject();
    const metric = await makeMetric(project);
    await store(project, metric.id, daily([0, 0, 0, 0, 0, 0, 9, 1, 1, 1, 1, 1, 1, 1]));
    const usage = await json<CustomerUsage>(project, "GET /v1/customers/acme/usage?days=7");
    expect(usage.data[0]).toMatchObject({ value: "7", previous: "9", change: null });
  });

  test("is cut into days of the project's zone, also where they have 25 hours", async () => {
    vi.setSystemTime(Date.parse("2026-10-27T12:00Z"));
    const project = await makeProject("Europe/Berlin");
    const metric = await makeMetric(project);
    const times = [
      "2026-10-24T21:59Z",
      "2026-10-24T22:00Z",
      "2026-10-25T22:59Z",
      "2026-10-25T23:00Z",
      "2026-10-27T11:00Z",
    ];
    await store(
      project,
      metric.id,
      times.map((time) => ({ customer: "acme", at: Date.parse(time) })),
    );
    const usage = await json<CustomerUsage>(project, "GET /v1/customers/acme/usage?days=7");
    expect(usage.data[0]?.series.slice(-4)).toEqual([
      { day: "2026-10-24", value: "1" },
      { day: "2026-10-25", value: "2" },
      { day: "2026-10-26", value: "1" },
      { day: "2026-10-27", value: "1" },
    ]);
  });

  test("is live where the meter answers, even before the database knows the customer", async () => {
    const project = await makeProject();
    const one = await makeMetric(project, { name: "One" });
    const two = await makeMetric(project, { name: "Two" });
    await store(project, two.id, [{ customer: "acme", at: NOW }], 5);
    const days = [
      ...toDays(
        one.id,
        [
          { customer: "fresh", at: NOW },
          { customer: "fresh", at: NOW - DAY_MS },
        ],
        1,
      ),
      ...toDays(two.id, [{ customer: "fresh", at: NOW }], 2),
    ];
    const METERS = metersThat(async ({ from_day, to_day }) => ({
      as_of: NOW,
      days: days.filter(({ day }) => day >= from_day && day <= to_day),
    }));
    const fresh = await json<CustomerUsage>(project, "GET /v1/customers/fresh/usage", { bindings: { METERS } });
    expect([fresh.live, fresh.data.map(({ value }) => value)]).toEqual([true, ["2", "1"]]);
    const empty = metersThat(async () => ({ as_of: NOW, days: [] }));
    await json(project, "GET /v1/customers/fresh/usage", { bindings: { METERS: empty }, status: 404 });
  });

  test("asks the meter about every metric at once", async () => {
    const project = await makeProject();
    const metrics = [await makeMetric(project, { name: "A" }), await makeMetric(project, { name: "B" })];
    await insertCustomer(project, "acme", null).run();
    const asked: unknown[] = [];
    const METERS = metersThat(async (request) => {
      asked.push(request);
      return { as_of: NOW, days: [] };
    });
    await json(project, "GET /v1/customers/acme/usage?days=90", { bindings: { METERS } });
    const metric_ids = metrics.flatMap(({ id }) => [id, decidedCounter(id)]);
    expect(asked).toEqual([
      { project_id: project.id, customer_id: "acme", metric_ids, from_day: dayOf(NOW) - 42, to_day: dayOf(NOW) },
    ]);
  });

  test("is of 7, 30 or 90 days", async () => {
    const project = await makeProject();
    await insertCustomer(project, "acme", null).run();
    expect(await json(project, "GET /v1/customers/acme/usage?days=90")).toMatchObject({
      days: 90,
      from: "2026-08-24",
      data: [],
    });
    const problem = await json<ProblemBody>(project, "GET /v1/customers/acme/usage?days=31", { status: 400 });
    expect(problem.errors).toEqual([{ pointer: "/days", code: "invalid_value", detail: "Must be 7, 30 or 90." }]);
  });

  test("is of each metric's own interval when nobody says", async () => {
    const project = await makeProject();
    const display = { format: "currency", currency: "EUR", style: "sparkline", interval_days: 7 } as const;
    const spent = await makeMetric(project, { name: "Spent", display });
    const calls = await makeMetric(project, { name: "Calls" });
    for (const { id } of [spent, calls]) await store(project, id, daily(Array.from({ length: 20 }, () => 1)));
    const usage = await json<CustomerUsage>(project, "GET /v1/customers/acme/usage");
    expect(usage).toMatchObject({
      days: null,
      from: "2026-10-23",
      to: "2026-11-21",
      data: [
        {
          metric: "calls",
          days: 30,
          from: "2026-10-23",
          value: "20",
          previous: "0",
          format: "numeric",
          currency: null,
        },
        { metric: "spent", days: 7, from: "2026-11-15", value: "7", previous: "7", change: "0", ...toShown(display) },
      ],
    });
    expect(usage.data.map(({ series }) => series.length)).toEqual([30, 7]);
  });
});

function toShown({ format, currency, style }: { format: string; currency: string; style: string }) {
  return { format, currency, style };
}
