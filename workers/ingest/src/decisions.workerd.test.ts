import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { type Decision, meterName, type ReservationAnswer } from "@tidemark/contract";
import { insertMetric, metricOf } from "@tidemark/testing/metric";
import { defineRequest } from "@tidemark/testing/quota";
import { createTenant, type Tenant } from "@tidemark/testing/tenant";
import { beforeAll, beforeEach, expect, test } from "vitest";
import type { IngestEnv } from "./env.ts";
import worker from "./index.ts";

let tenant: Tenant;
let stranger: Tenant;
let customers = 0;
let customer_id: string;
/** What becomes of calls to meters: `lost` loses the answer of what was decided. */
let fault: "none" | "away" | "lost" | "slow" = "none";
let calls = 0;
let reads = 0;
let queued: string[] = [];

beforeAll(async () => {
  tenant = await createTenant(env, "quota");
  stranger = await createTenant(env, "stranger");
  await env.DB.batch(insertMetric(env.DB, "quota", metricOf({ slug: "requests" })));
});

beforeEach(() => {
  customer_id = `acme${++customers}`;
  fault = "none";
  calls = 0;
  reads = 0;
  queued = [];
});

function meters(): IngestEnv["METERS"] {
  return new Proxy(env.METERS, {
    get(target, name: keyof IngestEnv["METERS"]) {
      if (name !== "get") return typeof target[name] === "function" ? target[name].bind(target) : target[name];
      return (id: DurableObjectId) => faulty(target.get(id));
    },
  });
}

function faulty(stub: ReturnType<IngestEnv["METERS"]["get"]>): ReturnType<IngestEnv["METERS"]["get"]> {
  return new Proxy(stub, {
    get(target, name) {
      if (name !== "decide") return Reflect.get(target, name) as unknown;
      return async (request: Parameters<typeof stub.decide>[0]) => {
        calls++;
        if (fault === "away") throw new Error("The meter is away.");
        if (fault === "slow") await new Promise(() => undefined);
        const reply = await target.decide(request);
        if (fault === "lost") throw new Error("Network connection lost.");
        return reply;
      };
    },
  });
}

function bindings(): IngestEnv {
  return {
    ...env,
    METERS: meters(),
    DB: new Proxy(env.DB, {
      get(target, name: keyof D1Database) {
        if (name === "prepare" || name === "batch") reads++;
        const value = target[name];
        return typeof value === "function" ? value.bind(target) : value;
      },
    }),
    EVENTS: {
      metrics: () => env.EVENTS.metrics(),
      send: async (body) => {
        queued.push(body);
        return env.EVENTS.send(body, { contentType: "text" });
      },
      sendBatch: (requests) => env.EVENTS.sendBatch(requests),
    },
  };
}

async function call(method: string, path: string, body?: unknown, key = tenant.keys.ingest): Promise<Response> {
  const context = createExecutionContext();
  const request = new Request(`https://tidemark.test${path}`, {
    method,
    headers: { authorization: `Bearer ${key}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const response = await worker.fetch(request, bindings(), context);
  await waitOnExecutionContext(context);
  return response;
}

async function post<Answer = Decision>(path: string, body: object): Promise<Answer> {
  return (await call("POST", path, { customer_id, ...body })).json();
}

async function allow(base: number, definition: object = {}): Promise<void> {
  const meter = env.METERS.get(env.METERS.idFromName(meterName("quota", customer_id)));
  const request = defineRequest({
    project_id: "quota",
    customer_id,
    metric: { slug: "requests" },
    terms: { base },
    definition,
  });
  await meter.define({ ...request });
}

test("a decision is one object call and no database read, and carries what is left in its headers", async () => {
  await allow(10);
  await post("/v1/check", { metric: "requests" });
  reads = 0;
  calls = 0;
  const response = await call("POST", "/v1/consume", { customer_id, metric: "requests", amount: 4, id: "a" });
  expect([reads, calls]).toEqual([0, 1]);
  expect(await response.json()).toMatchObject({
    allowed: true,
    metric: "requests",
    limit: "10",
    used: "4",
    remaining: "6",
  });
  expect(response.headers.get("ratelimit")).toMatch(/^"requests";r=6;t=\d+$/);
  expect(response.headers.get("ratelimit-policy")).toMatch(/^"requests";q=10;w=\d+$/);
});

test("a denial is 200 with its reason; for proxies the status says it", async () => {
  await allow(1);
  expect(await post("/v1/consume", { metric: "requests", amount: 2 })).toMatchObject({
    allowed: false,
    reason: "limit_reached",
    enforced: true,
  });
  const ask = (amount: string) => call("GET", `/v1/check?customer_id=${customer_id}&metric=requests&amount=${amount}`);
  const [yes, no] = [await ask("1"), await ask("2")];
  expect([yes.status, no.status]).toEqual([200, 403]);
  expect(await no.json()).toMatchObject({ allowed: false, reason: "limit_reached" });
});

test.each([
  [{ metric: "requests", amount: "1,000" }, 400, "/amount"],
  [{ metric: "requests", amount: true }, 400, "/amount"],
  [{ metric: "requests", amout: 1 }, 400, "/amout"],
  [{ amount: 1 }, 400, "/metric"],
  [{ items: [] }, 400, "/items"],
  [{ items: [{ metric: "requests", x: 1 }] }, 400, "/items/0/x"],
  [{ items: [{ metric: "requests" }, { metric: "requests" }] }, 400, "/items/1/metric"],
  [{ metric: "requests", id: "" }, 400, "/id"],
  [{ metric: "requests", properties: [] }, 400, "/properties"],
  [{ metric: "requests", amount: 0.5 }, 400, "/amount"],
])("what is wrong with %j is told", async (body, status, pointer) => {
  await allow(1000);
  const response = await call("POST", "/v1/consume", { customer_id, ...body });
  expect(response.status).toBe(status);
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  expect(await response.json()).toMatchObject({ code: "invalid_request", errors: [{ pointer }] });
});

test("bodies that are not JSON, and keys that may not, are refused", async () => {
  const context = createExecutionContext();
  const headers = { authorization: `Bearer ${tenant.keys.ingest}` };
  const request = new Request("https://tidemark.test/v1/consume", { method: "POST", headers, body: "[1" });
  expect((await worker.fetch(request, bindings(), context)).status).toBe(400);
  expect((await call("POST", "/v1/consume", {}, tenant.keys.read)).status).toBe(403);
  expect((await call("GET", "/v1/consume")).status).toBe(405);
});

test("the same id with other content is 409", async () => {
  await allow(10);
  await post("/v1/consume", { metric: "requests", id: "a" });
  expect((await call("POST", "/v1/consume", { customer_id, metric: "requests", amount: 2, id: "a" })).status).toBe(409);
});

test("while the meter is away a closed limit denies, and counts nothing", async () => {
  await allow(10);
  fault = "away";
  expect(await post("/v1/consume", { metric: "requests" })).toMatchObject({
    allowed: false,
    reason: "meter_unavailable",
    enforced: false,
  });
  expect(queued).toEqual([]);
});

test("while the meter is away an open limit admits, and the usage is counted once when it is back", async () => {
  await allow(10, { unavailable: "open" });
  expect(await post("/v1/consume", { metric: "requests" })).toMatchObject({ enforced: true, used: "1" });
  fault = "away";
  for (const id of ["a", "a", "b"]) {
    expect(await post("/v1/consume", { metric: "requests", amount: 2, id })).toMatchObject({
      allowed: true,
      enforced: false,
      reason: "meter_unavailable",
    });
  }
  fault = "lost";
  expect(await post("/v1/consume", { metric: "requests", id: "decided" })).toMatchObject({ enforced: false });
  fault = "none";
  await expect
    .poll(async () => (await post("/v1/check", { metric: "requests" })).used, { timeout: 15_000, interval: 200 })
    .toBe("6");
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  expect(await post("/v1/check", { metric: "requests" })).toMatchObject({ used: "6" });
  expect(await post("/v1/consume", { metric: "requests", id: "decided" })).toMatchObject({ duplicate: true });
});

test("reservations and leases name their customer, and another project's key finds nothing there", async () => {
  await allow(10);
  const reserved = await post<ReservationAnswer>("/v1/reservations", { metric: "requests", amount: 4 });
  expect(reserved).toMatchObject({ allowed: true, granted: "4", reserved: "4", remaining: "6" });
  const path = `/v1/reservations/${reserved.id}`;
  expect((await call("POST", `${path}/commit`, {}, stranger.keys.ingest)).status).toBe(404);
  expect((await call("POST", "/v1/reservations/rsv_nonsense/commit", {})).status).toBe(404);
  expect((await call("POST", `${path}/commit`, { customer_id: "another" })).status).toBe(404);
  expect(await (await call("POST", `${path}/extend`, { ttl_seconds: 600 })).json()).toMatchObject({ state: "held" });
  expect((await call("POST", `${path}/commit`, { amount: 5 })).status).toBe(409);
  const committed = await (await call("POST", `${path}/commit`, { amount: 3 })).json();
  expect(committed).toMatchObject({ id: reserved.id, committed: "3", released: "1", used: "3" });
  expect(await (await call("POST", `${path}/release`, {})).json()).toMatchObject({ committed: "3", duplicate: true });

  const lease = await post<{ readonly id: string }>("/v1/leases", { metric: "requests", want: 5, holder: "gw-1" });
  expect(lease).toMatchObject({ granted: "5", sequence: 1, remaining: "2", holder: "gw-1" });
  const report = { sequence: 1, used: 2, renew: { want: 4 } };
  expect((await call("POST", `/v1/leases/${lease.id}/report`, report, stranger.keys.ingest)).status).toBe(404);
  const renewed = await (await call("POST", `/v1/leases/${lease.id}/report`, report)).json();
  expect(renewed).toMatchObject({ id: lease.id, granted: "4", sequence: 2, remaining: "1" });
  const closed = await (await call("POST", `/v1/leases/${lease.id}/report`, { sequence: 2, used: 0 })).json();
  expect(closed).toMatchObject({ granted: "0", remaining: "5" });
});

test("an open reservation without its meter is counted by what was committed", async () => {
  await allow(10, { unavailable: "open" });
  await post("/v1/check", { metric: "requests" });
  await post("/v1/reservations", { metric: "requests", amount: 1, id: "known" });
  fault = "away";
  const reserved = await post<ReservationAnswer>("/v1/reservations", { metric: "requests", amount: 4 });
  expect(reserved).toMatchObject({ allowed: true, enforced: false, granted: "4" });
  fault = "none";
  for (let i = 0; i < 2; i++) {
    const answer = await (await call("POST", `/v1/reservations/${reserved.id}/commit`, { amount: 3 })).json();
    expect(answer).toMatchObject({ committed: "3", enforced: false });
  }
  await expect
    .poll(async () => (await post("/v1/check", { metric: "requests" })).used, { timeout: 15_000, interval: 200 })
    .toBe("3");
});

test("a limit that only its database row calls open is open too", async () => {
  await env.DB.prepare(
    `INSERT INTO definitions (project_id, customer_id, id, metric_id, unavailable, version, body, created_at)
     VALUES ('quota', ?, 'alw_m', 'm', 'open', 1, '{}', 0)`,
  )
    .bind(customer_id)
    .run();
  fault = "away";
  expect(await post("/v1/check", { metric: "requests" })).toMatchObject({ allowed: true, enforced: false });
});

test("an unknown customer is denied, or subscribed to the project's default product", async () => {
  expect(await post("/v1/consume", { metric: "requests" })).toMatchObject({ reason: "unknown_customer" });
  const project = await createTenant(env, "generous");
  const definition = {
    name: "Free",
    description: "",
    prices: [],
    charge_on: "total",
    cycle_interval: { count: 1, period: "months" },
    allowance: {
      base: "2",
      enforcement: "hard",
      carryover: null,
      unavailable: "closed",
      late: "adjust",
      grace_seconds: 86_400,
      per: null,
      starts_from: "empty",
    },
    accumulates: false,
  };
  await env.DB.batch([
    ...insertMetric(env.DB, "generous", metricOf({ slug: "requests" })),
    env.DB.prepare(
      `INSERT INTO products (project_id, id, slug, kind, metric_id, definition, is_default, created_at, updated_at)
       VALUES ('generous', 'prd_free', 'free', 'usage', 'm', ?, 1, 0, 0)`,
    ).bind(JSON.stringify(definition)),
  ]);
  const body = { customer_id: "newcomer", metric: "requests" };
  let ids = 0;
  const consume = async () =>
    (await call("POST", "/v1/consume", { ...body, id: `new-${++ids}` }, project.keys.ingest)).json();
  await call("POST", "/v1/events", { event: "call", customer_id: "newcomer" }, project.keys.ingest);
  expect(await consume()).toMatchObject({ allowed: true, limit: "2", used: "1" });
  expect(await consume()).toMatchObject({ allowed: true, used: "2" });
  expect(await consume()).toMatchObject({ allowed: false, reason: "limit_reached" });
  const row = await env.DB.prepare("SELECT product_id FROM definitions WHERE project_id = 'generous'").first();
  expect(row).toEqual({ product_id: "prd_free" });
});
