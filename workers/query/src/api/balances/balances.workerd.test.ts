import type { BalanceAnswer } from "@tidemark/contract/balance-schema";
import { sumAmounts } from "@tidemark/core/money";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { call, json, makeMetric, makeProject, type TestProject } from "../../../test/fixture.ts";
import { consume, metersThatFail, reserve, setAllowance } from "../../../test/quota-fixture.ts";

const BALANCES = "/v1/customers/acme/balances";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.parse("2026-01-01T00:00:00Z") });
});
afterEach(() => {
  vi.useRealTimers();
});

async function setUp(allowance: object = {}): Promise<TestProject> {
  const project = await makeProject();
  await makeMetric(project, {
    slug: "calls",
    type: "limit_recurring",
    aggregation: "sum",
    value_property: "n",
    decimal_places: 1,
  });
  await setAllowance(project, "acme", {
    metric: "calls",
    base: 1000,
    enforcement: "hard",
    cycle: { anchor: "2026-01-01T00:00:00Z" },
    ...allowance,
  });
  return project;
}

async function read(project: TestProject, query = ""): Promise<readonly BalanceAnswer[]> {
  return (await json<{ data: BalanceAnswer[] }>(project, `GET ${BALANCES}${query}`)).data;
}

/** The law that always holds. */
function expectConserved({ totals }: BalanceAnswer): void {
  const { granted, burned, expired, forfeited, repaid, held } = totals;
  expect(sumAmounts([burned, expired, forfeited, repaid, held])).toBe(granted);
}

describe("a balance", () => {
  test("shows what it is made of, in the order in which it is used", async () => {
    const project = await setUp({ carryover: { cap: null, expires_after: 2 } });
    await consume(project, "acme", "calls", { amount: 700 });
    vi.setSystemTime(Date.parse("2026-02-01T00:00:00Z"));
    const { id } = await setAllowance(project, "acme", {
      metric: "calls",
      amount: "50.5",
      reason: "Goodwill",
      expires_at: "2026-02-20T00:00:00Z",
    });
    await consume(project, "acme", "calls", { amount: 60 });
    const hold = await reserve(project, "acme", "calls", 100);
    const [balance, ...others] = await read(project);
    expect(others).toEqual([]);
    expect(balance).toMatchObject({
      metric: "calls",
      product: null,
      enforcement: "hard",
      label: null,
      limit: "1000",
      carried: "350.5",
      used: "60",
      reserved: "100",
      remaining: "1190.5",
      overage: "0",
      cycle: { start: "2026-02-01T00:00:00Z", end: "2026-03-01T00:00:00Z" },
      next_cycle: { start: "2026-03-01T00:00:00Z", base: "1000", debt: "0" },
      buckets: [
        {
          id,
          kind: "top_up",
          units: "50.5",
          left: "0",
          held: "0",
          expires_at: "2026-02-20T00:00:00Z",
          reason: "Goodwill",
        },
        {
          kind: "carried",
          origin_cycle: 0,
          units: "300",
          left: "190.5",
          held: "100",
          expires_at: "2026-04-01T00:00:00Z",
        },
        { kind: "base", origin_cycle: 1, units: "1000", left: "1000", held: "0", expires_at: null },
      ],
      totals: { granted: "2050.5", burned: "760", expired: "0", forfeited: "0", repaid: "0", held: "1290.5" },
      previous: {
        limit: "1000",
        used: "700",
        cycle: { start: "2026-01-01T00:00:00Z", end: "2026-02-01T00:00:00Z" },
        final_at: "2026-02-02T00:00:00Z",
      },
      holds: [{ id: hold, kind: "reservation", holder: null, units: "100" }],
      adjustments: [],
      rejected_late: "0",
      grants: [{ id, amount: "50.5", reason: "Goodwill", at: "2026-02-01T00:00:00Z" }],
      ended_at: null,
    });
    if (balance !== undefined) expectConserved(balance);
  });

  test("is conserved through cycles that carry, trim, expire and repay", async () => {
    const project = await setUp({
      enforcement: "soft",
      carryover: { cap: "400", expires_after: 1, overage: "debit" },
    });
    for (const [month, amount] of [
      ["02", 300],
      ["03", 1700],
      ["04", 100],
      ["05", 0.5],
    ] as const) {
      await consume(project, "acme", "calls", { amount });
      vi.setSystemTime(Date.parse(`2026-${month}-15T00:00:00Z`));
      const [balance] = await read(project);
      if (balance === undefined) throw new Error("There is a balance.");
      expectConserved(balance);
    }
  });

  test("says what the next cycle would begin with", async () => {
    const project = await setUp({ carryover: { cap: "500" } });
    await consume(project, "acme", "calls", { amount: 100 });
    expect(await read(project)).toMatchObject([{ next_cycle: { base: "1000", carried: "500", debt: "0" } }]);
  });

  test("is shown until its last cycle is final after it has ended", async () => {
    const project = await setUp();
    const [{ id } = { id: "" }] = await read(project);
    await call(project, `DELETE /v1/customers/acme/allowances/${id}`);
    expect(await read(project)).toMatchObject([{ ended_at: "2026-01-01T00:00:00Z", next_cycle: null, remaining: "0" }]);
    vi.setSystemTime(Date.parse("2026-01-03T00:00:00Z"));
    expect(await read(project)).toEqual([]);
  });
});

test("balances can be of one metric alone", async () => {
  const project = await setUp();
  await makeMetric(project, { slug: "others", type: "limit_metered" });
  await setAllowance(project, "acme", { metric: "others", base: 1 });
  expect((await read(project)).map(({ metric }) => metric).toSorted()).toEqual(["calls", "others"]);
  expect((await read(project, "?metric=others")).map(({ metric }) => metric)).toEqual(["others"]);
  expect((await call(project, `GET ${BALANCES}?metric=nothing`)).status).toBe(404);
});

test("a customer without an allowance has no balances, and one that is unknown is not found", async () => {
  const project = await setUp();
  await json(project, "PATCH /v1/customers/acme", { body: { name: "Acme" } });
  expect((await call(project, "GET /v1/customers/globex/balances")).status).toBe(404);
  const other = await makeProject();
  expect((await call(other, `GET ${BALANCES}`)).status).toBe(404);
});

test("a meter that cannot be reached is a 503 that says when to ask again", async () => {
  const response = await call(await setUp(), `GET ${BALANCES}`, { bindings: { METERS: metersThatFail() } });
  expect([response.status, response.headers.get("retry-after")]).toEqual([503, "2"]);
});
