import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { createTenant, type Tenant } from "@tidemark/testing/tenant";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import worker from "./index.ts";

// What numbers mean, by examples that were computed by hand: through the HTTP API, against real objects, with
// the clock in our hands.

let tenant: Tenant;
let customers = 0;
let customer: string;

beforeAll(async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.parse("2026-01-01T00:00:00Z") });
  tenant = await createTenant(env, "vectors");
  await metric({ name: "Units", type: "limit_recurring", aggregation: "sum", value_property: "amount" });
  await metric({ name: "Calls", type: "limit_metered", aggregation: "count" });
  await metric({ name: "Users", type: "limit_metered", aggregation: "unique", distinct_by: "user" });
  await metric({ name: "Storage", type: "limit_metered", aggregation: "max", value_property: "amount" });
  await metric({ name: "Data", type: "charge_recurring", aggregation: "sum", value_property: "amount" });
});
afterAll(() => {
  vi.useRealTimers();
});
beforeEach(() => {
  customer = `customer-${++customers}`;
});

function at(time: string): void {
  vi.setSystemTime(Date.parse(time.endsWith("Z") ? time : `${time}Z`));
}

async function call<Answer>(method: string, path: string, body?: object): Promise<Answer> {
  const context = createExecutionContext();
  const request = new Request(`https://tidemark.test${path}`, {
    method,
    headers: { authorization: `Bearer ${tenant.keys.admin}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const response = await worker.fetch(request as Parameters<typeof worker.fetch>[0], env, context);
  await waitOnExecutionContext(context);
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return JSON.parse(text) as Answer;
}

async function metric(body: object): Promise<void> {
  await call("POST", "/v1/metrics", { event_matchers: [{ event: "use" }], ...body });
}

interface Allowance {
  readonly id: string;
}

async function allow(metricSlug: string, base: string, rest: object = {}): Promise<Allowance> {
  const cycle = { anchor: "2026-01-01T00:00:00Z", time_zone: "UTC", interval: { count: 1, period: "months" } };
  return call("POST", `/v1/customers/${customer}/allowances`, { metric: metricSlug, base, cycle, ...rest });
}

interface Decision {
  readonly allowed: boolean;
  readonly used: string;
  readonly remaining: string;
  readonly carried: string;
  readonly limit: string;
  readonly overage: string;
  readonly cycle: { readonly start: string; readonly end: string };
  readonly thresholds_crossed?: readonly unknown[];
}

async function consume(slug: string, amount: number | string, rest: object = {}): Promise<Decision> {
  return call("POST", "/v1/consume", { customer_id: customer, metric: slug, amount, ...rest });
}

async function check(slug: string, amount = 0): Promise<Decision> {
  return call("POST", "/v1/check", { customer_id: customer, metric: slug, amount });
}

/** What the customer could use at once. */
async function available(slug: string): Promise<string> {
  return (await check(slug)).remaining;
}

async function events(...list: readonly object[]): Promise<void> {
  const batch = list.map((event) => ({ event: "use", customer_id: customer, ...event }));
  await call("POST", "/v1/events", batch);
}

async function eventually<Answer>(ask: () => Promise<Answer>, wanted: Answer): Promise<void> {
  await expect.poll(ask, { timeout: 20_000, interval: 100 }).toEqual(wanted);
}

async function totals(slug: string): Promise<Record<string, string>> {
  interface Balances {
    readonly data: readonly { readonly metric: string; readonly totals: Record<string, string> }[];
  }
  const { data } = await call<Balances>("GET", `/v1/customers/${customer}/balances`);
  return data.find((balance) => balance.metric === slug)?.totals ?? {};
}

describe("carryover, base 1000", () => {
  beforeEach(() => {
    at("2026-01-01T00:00");
  });

  test("V1: use 700, then 900: available 1000, 1300, 1400", async () => {
    await allow("units", "1000");
    expect(await available("units")).toBe("1000");
    await consume("units", 700);
    at("2026-02-01T00:00");
    expect(await available("units")).toBe("1300");
    await consume("units", 900);
    at("2026-03-01T00:00");
    expect(await available("units")).toBe("1400");
  });

  test("V2: cap 500, use 100: next 1500, 400 forfeited", async () => {
    await allow("units", "1000", { carryover: { cap: "500" } });
    await consume("units", 100);
    at("2026-02-01T00:00");
    expect(await available("units")).toBe("1500");
    expect(await totals("units")).toMatchObject({ forfeited: "400" });
  });

  test("V3: expires after 1, use 700 then 0: third cycle 2000, 300 expired", async () => {
    await allow("units", "1000", { carryover: { expires_after: 1 } });
    await consume("units", 700);
    at("2026-03-01T00:00");
    expect(await available("units")).toBe("2000");
    expect(await totals("units")).toMatchObject({ expired: "300" });
  });

  test("V4: cap 2000, three silent cycles: fourth 3000", async () => {
    await allow("units", "1000", { carryover: { cap: "2000" } });
    at("2026-04-01T00:00");
    expect(await available("units")).toBe("3000");
  });

  test("five silent months are five closings", async () => {
    await allow("units", "1000");
    at("2026-06-15T00:00");
    expect(await check("units")).toMatchObject({ carried: "5000", remaining: "6000" });
  });

  test.each([
    ["debit", "950"],
    ["forgive", "1000"],
  ])("V5: a late 100 for January reaches February; March base with %s is %s", async (overage, march) => {
    await allow("units", "1000", { carryover: { overage } });
    await consume("units", 700);
    at("2026-02-01T02:00");
    expect(await available("units")).toBe("1300");
    await events({ id: "late", timestamp: "2026-01-31T12:00:00Z", properties: { amount: 100 } });
    await eventually(() => available("units"), "1200");
    await consume("units", 1250);
    expect(await check("units")).toMatchObject({ remaining: "0", overage: "50" });
    at("2026-03-01T00:00");
    expect(await check("units")).toMatchObject({ limit: march, remaining: march });
  });

  test("V6: 1000, used 800, lowered to 500: nothing remains, nothing carries, next cycle 500", async () => {
    const { id } = await allow("units", "1000", { enforcement: "hard" });
    await consume("units", 800);
    await call("PATCH", `/v1/customers/${customer}/allowances/${id}`, { base: "500" });
    expect(await check("units", 1)).toMatchObject({ allowed: false, remaining: "0", overage: "0" });
    at("2026-02-01T00:00");
    expect(await check("units", 1)).toMatchObject({ allowed: true, limit: "500", carried: "0" });
  });
});

test("V7: +5, −10, +5 come to 0", async () => {
  at("2026-01-05T00:00");
  await allow("units", "10");
  for (const amount of [5, -10, 5]) await consume("units", amount);
  expect(await check("units")).toMatchObject({ used: "0", remaining: "10" });
});

describe("edges of time", () => {
  test.each([
    [
      "V8: the 31st",
      { anchor: "2026-01-31T00:00:00Z", time_zone: "UTC", interval: { count: 1, period: "months" } },
      ["2026-02-28T00:00:00Z", "2026-03-31T00:00:00Z", "2026-04-30T00:00:00Z", "2026-05-31T00:00:00Z"],
    ],
    [
      "V8: 29 February",
      { anchor: "2024-02-29T00:00:00Z", time_zone: "UTC", interval: { count: 1, period: "years" } },
      ["2026-02-28T00:00:00Z", "2027-02-28T00:00:00Z", "2028-02-29T00:00:00Z"],
    ],
    [
      "V9: the night that lacks an hour",
      { anchor: "2026-01-29T02:30:00+01:00", time_zone: "Europe/Berlin", interval: { count: 1, period: "months" } },
      ["2026-02-28T02:30:00+01:00", "2026-03-29T03:30:00+02:00", "2026-04-29T02:30:00+02:00"],
    ],
    [
      "V9: the night that has an hour twice",
      { anchor: "2026-01-25T02:30:00+01:00", time_zone: "Europe/Berlin", interval: { count: 9, period: "months" } },
      ["2026-10-25T02:30:00+02:00", "2027-07-25T02:30:00+02:00"],
    ],
  ])("%s", async (_name, cycle, boundaries) => {
    at("2026-02-05T00:00");
    await allow("calls", "1", { cycle });
    for (const boundary of boundaries) {
      const { cycle: current } = await check("calls");
      expect(current.end).toBe(new Date(boundary).toISOString());
      vi.setSystemTime(Date.parse(current.end) - 1);
      expect(await consume("calls", 1, { id: `${boundary} before` })).toMatchObject({ allowed: true });
      expect(await check("calls", 1)).toMatchObject({ allowed: false });
      vi.setSystemTime(Date.parse(current.end));
      expect(await check("calls", 1)).toMatchObject({ allowed: true, used: "0" });
    }
  });

  test("days and weeks follow the zone's clock through both nights", async () => {
    at("2026-03-28T12:00");
    const cycle = {
      anchor: "2026-03-28T00:00:00+01:00",
      time_zone: "Europe/Berlin",
      interval: { count: 1, period: "days" },
    };
    await allow("calls", "1", { cycle });
    const hours = async () => {
      const { cycle: current } = await check("calls");
      vi.setSystemTime(Date.parse(current.end));
      return (Date.parse(current.end) - Date.parse(current.start)) / 3_600_000;
    };
    expect([await hours(), await hours(), await hours()]).toEqual([24, 23, 24]);
    at("2026-10-24T12:00");
    expect([await hours(), await hours(), await hours()]).toEqual([24, 25, 24]);
  });
});

test("V10: distinct users: January {a, b}, February {a} is 1", async () => {
  at("2026-01-05T00:00");
  await allow("users", "2");
  const by = (user: string) => consume("users", 1, { properties: { user } });
  for (const user of ["a", "b", "a"]) expect(await by(user)).toMatchObject({ allowed: true });
  expect(await by("c")).toMatchObject({ allowed: false, used: "2" });
  at("2026-02-05T00:00");
  expect(await by("a")).toMatchObject({ allowed: true, used: "1" });
});

test("V11: a maximum of 10, 20, 30 is 30", async () => {
  at("2026-01-05T00:00");
  await allow("storage", "30");
  for (const amount of [10, 20, 30]) expect(await consume("storage", amount)).toMatchObject({ allowed: true });
  expect(await consume("storage", 31)).toMatchObject({ allowed: false, used: "30" });
  at("2026-02-05T00:00");
  expect(await check("storage")).toMatchObject({ used: "0" });
});

test("V12: at 800, 799 → 801 fires and → 790 → 810 is silent", async () => {
  at("2026-01-05T00:00");
  await allow("units", "1000");
  await call("POST", "/v1/thresholds", { metric: "units", operator: ">=", value: "800", customer_id: customer });
  expect(await consume("units", 799)).not.toHaveProperty("thresholds_crossed");
  expect((await consume("units", 2)).thresholds_crossed).toHaveLength(1);
  expect(await consume("units", -11)).not.toHaveProperty("thresholds_crossed");
  expect(await consume("units", 20)).not.toHaveProperty("thresholds_crossed");
  at("2026-02-05T00:00");
  expect((await consume("units", 1500)).thresholds_crossed).toHaveLength(1);
});

test("V13: limit 100, used 90, three leases of 8: 8, 2, 0", async () => {
  at("2026-01-05T00:00");
  await allow("calls", "100");
  await consume("calls", 90);
  const grants: string[] = [];
  for (const holder of ["a", "b", "c"]) {
    const body = { customer_id: customer, metric: "calls", want: 8, holder };
    grants.push((await call<{ readonly granted: string }>("POST", "/v1/leases", body)).granted);
  }
  expect(grants).toEqual(["8", "2", "0"]);
});

test("V14: reserve 100 on 31 January 23:59, commit 60 on 1 February 00:01", async () => {
  at("2026-01-31T23:59");
  await allow("units", "1000");
  const body = { customer_id: customer, metric: "units", amount: 100 };
  const { id } = await call<{ readonly id: string }>("POST", "/v1/reservations", body);
  at("2026-02-01T00:01");
  expect(await check("units")).toMatchObject({ carried: "900" });
  const answer = await call("POST", `/v1/reservations/${id}/commit`, { amount: 60 });
  expect(answer).toMatchObject({ committed: "60", released: "40" });
  expect(await check("units")).toMatchObject({ used: "0", carried: "940" });
  expect(await totals("units")).toMatchObject({ burned: "60" });
});

test.each([
  ["total", ["100", "150", "120"]],
  ["delta", ["100", "50", "-30"]],
])("V15: +100, +50, −30 charged on the %s", async (charge_on, amounts) => {
  at("2026-01-01T00:00");
  const slug = `data_${charge_on}`;
  const prices = [{ model: "per_unit", unit_amount: "1", currency: "EUR" }];
  await call("POST", "/v1/products", { name: slug, slug, kind: "usage", metric: "data", prices, charge_on });
  const anchor = "2026-01-01T00:00:00Z";
  await call("POST", `/v1/customers/${customer}/subscriptions`, { product: slug, anchor, time_zone: "UTC" });
  for (const [month, amount] of [
    ["01", 100],
    ["02", 50],
    ["03", -30],
  ] as const) {
    at(`2026-${month}-10T00:00`);
    await consume("data", amount);
  }
  at("2026-06-01T00:00");
  interface Statements {
    readonly data: readonly {
      readonly status: string;
      readonly cycle: { readonly start: string };
      readonly lines: readonly { readonly quantity: string; readonly amount: string }[];
    }[];
  }
  const { data } = await call<Statements>("GET", `/v1/customers/${customer}/statements?limit=100`);
  const oldest = data.toSorted((a, b) => a.cycle.start.localeCompare(b.cycle.start)).slice(0, 3);
  expect(oldest.map(({ status }) => status)).toEqual(["final", "final", "final"]);
  expect(oldest.map(({ lines }) => lines[0]?.quantity)).toEqual(amounts);
  expect(oldest.map(({ lines }) => Number(lines[0]?.amount))).toEqual(amounts.map(Number));
});

test("a consume and an event with the same id count once, and the event's properties complete it", async () => {
  at("2026-01-05T00:00");
  await metric({
    name: "Requests",
    type: "limit_metered",
    aggregation: "count",
    group_by: ["endpoint"],
    event_matchers: [{ event: "request" }],
  });
  await allow("requests", "10");
  await consume("requests", 1, { id: "req-1" });
  const event = { event: "request", id: "req-1", timestamp: "2026-01-05T00:00:00Z", properties: { endpoint: "/a" } };
  await events(event, { ...event, id: "req-2" });
  await eventually(async () => (await check("requests")).used, "2");
  interface Usage {
    readonly data: readonly { readonly value: string; readonly group: Record<string, string> }[];
  }
  const usage = `/v1/usage?metric=requests&customer_id=${customer}&from=2026-01-05&to=2026-01-06&grain=day&group_by=endpoint`;
  await eventually(
    async () => (await call<Usage>("GET", usage)).data.map(({ value, group }) => [value, group]),
    [["2", { endpoint: "/a" }]],
  );
});

test("reserve, then commit with the response's status: only successes count", async () => {
  at("2026-01-05T00:00");
  const filters = { and: [{ property: "status", op: "equals", value: 200 }] };
  await metric({ name: "Successes", type: "limit_metered", aggregation: "count", filters });
  await allow("successes", "10");
  for (const status of [200, 500, 200]) {
    const body = { customer_id: customer, metric: "successes", amount: 1 };
    const { id } = await call<{ readonly id: string }>("POST", "/v1/reservations", body);
    await call("POST", `/v1/reservations/${id}/commit`, { properties: { status } });
  }
  expect(await check("successes")).toMatchObject({ used: "2", remaining: "8" });
});
