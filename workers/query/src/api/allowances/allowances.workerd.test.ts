import type { ProblemBody } from "@tidemark/contract";
import type { Allowance } from "@tidemark/contract/allowance-schema";
import type { Customer } from "@tidemark/contract/customer-schema";
import { readUnavailable } from "@tidemark/db/unavailable";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { call, json, makeMetric, makeProject, type TestProject } from "../../../test/fixture.ts";
import { consume, metersThatFail, setAllowance, withoutDatabase } from "../../../test/quota-fixture.ts";

const NOW = Date.parse("2026-03-10T12:00:00.250Z");
const ALLOWANCES = "/v1/customers/acme/allowances";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A project with a limit metric of calls, and one of tokens with a label. */
async function setUp(): Promise<TestProject> {
  const project = await makeProject();
  await makeMetric(project, { slug: "calls", type: "limit_metered" });
  await makeMetric(project, {
    slug: "tokens",
    type: "limit_recurring",
    aggregation: "sum",
    value_property: "n",
    decimal_places: 1,
    group_by: ["model"],
  });
  return project;
}

function post<Answer = Allowance>(project: TestProject, body: object, status = 201): Promise<Answer> {
  return json(project, `POST ${ALLOWANCES}`, { body, status });
}

describe("an allowance", () => {
  test("is made with the defaults of its metric's type, and holds from the next decision on", async () => {
    const project = await setUp();
    const made = await post(project, { metric: "calls", base: 2 });
    expect(made).toEqual({
      id: expect.stringMatching(/^alw_[0-9a-f]{16}$/) as string,
      metric: "calls",
      base: "2",
      cycle: { interval: { count: 1, period: "months" }, anchor: "2026-03-10T12:00:00Z", time_zone: "UTC" },
      enforcement: "hard",
      carryover: null,
      unavailable: "closed",
      late: "adjust",
      grace_seconds: 86_400,
      per: null,
      starts_from: "empty",
      created_at: "2026-03-10T12:00:00.250Z",
      ended_at: null,
      standing: [
        {
          label: null,
          limit: "2",
          carried: "0",
          used: "0",
          reserved: "0",
          remaining: "2",
          overage: "0",
          cycle: { start: "2026-03-10T12:00:00Z", end: "2026-04-10T12:00:00Z" },
        },
      ],
    });
    expect(await consume(project, "acme", "calls", { amount: 2 })).toMatchObject({ allowed: true });
    expect(await consume(project, "acme", "calls")).toMatchObject({ allowed: false, reason: "limit_reached" });
    const { data } = await json<{ data: Allowance[] }>(project, `GET ${ALLOWANCES}`);
    expect(data).toMatchObject([{ id: made.id, standing: [{ used: "2", remaining: "0" }] }]);
    expect(await json(project, `GET ${ALLOWANCES}/${made.id}`)).toEqual(data[0]);
  });

  test("takes everything that a request says of it", async () => {
    const project = await setUp();
    const body = {
      metric: "tokens",
      base: "1000.5",
      cycle: {
        interval: { count: 2, period: "weeks" },
        anchor: "2026-01-31T01:00:00+01:00",
        time_zone: "Europe/Berlin",
      },
      enforcement: "hard",
      carryover: { cap: { percent: 20 }, expires_after: 3, overage: "debit" },
      unavailable: "open",
      late: "reject",
      grace_seconds: 60,
      per: "model",
    };
    const made = await post(project, body);
    expect(made).toMatchObject({ ...body, cycle: { ...body.cycle, anchor: "2026-01-31T00:00:00Z" } });
    expect(await readUnavailable(env.DB, project.id, "acme", "tokens")).toBe("open");
  });

  test("is in the calendar of the customer, or else of the project", async () => {
    const project = await makeProject("Asia/Tokyo");
    await makeMetric(project, { slug: "calls", type: "limit_metered" });
    expect(await post(project, { metric: "calls", base: 1 })).toMatchObject({ cycle: { time_zone: "Asia/Tokyo" } });
    await json(project, "PATCH /v1/customers/acme", { body: { time_zone: "Europe/Paris" } });
    await makeMetric(project, { slug: "others", type: "limit_metered" });
    expect(await post(project, { metric: "others", base: 1 })).toMatchObject({ cycle: { time_zone: "Europe/Paris" } });
  });

  test("makes a customer that was unknown, whose first event is still to come", async () => {
    const project = await setUp();
    expect((await call(project, "GET /v1/customers/acme")).status).toBe(404);
    await post(project, { metric: "calls", base: 1 });
    expect(await json<Customer>(project, "GET /v1/customers/acme")).toMatchObject({ first_seen_at: null });
  });

  test("is changed when the customer has one of the metric, with its cycle and its usage", async () => {
    const project = await setUp();
    const made = await post(project, { metric: "calls", base: 5, cycle: { anchor: "2026-03-01T00:00:00Z" } });
    await consume(project, "acme", "calls", { amount: 4 });
    vi.setSystemTime(NOW + 60_000);
    const changed = await post(project, { metric: "calls", base: 3, enforcement: "soft" }, 200);
    expect(changed).toMatchObject({
      id: made.id,
      base: "3",
      enforcement: "soft",
      cycle: made.cycle,
      created_at: made.created_at,
      standing: [{ limit: "3", used: "4", remaining: "0", cycle: { start: "2026-03-01T00:00:00Z" } }],
    });
    expect((await json<{ data: Allowance[] }>(project, `GET ${ALLOWANCES}`)).data).toHaveLength(1);
  });

  test("is the same one when the same request comes twice at once, or again after the database failed", async () => {
    const project = await setUp();
    const body = { metric: "calls", base: 5 };
    const both = await Promise.all([1, 2].map(() => call(project, `POST ${ALLOWANCES}`, { body })));
    expect(both.every(({ ok }) => ok)).toBe(true);
    const failed = { metric: "tokens", base: 5 };
    const refused = await call(project, `POST ${ALLOWANCES}`, {
      body: failed,
      bindings: withoutDatabase("definitions"),
    });
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "2"]);
    await post(project, failed);
    const { data } = await json<{ data: Allowance[] }>(project, `GET ${ALLOWANCES}`);
    expect(data.map(({ metric }) => metric).toSorted()).toEqual(["calls", "tokens"]);
  });

  test("answers a repeated key with the first answer", async () => {
    const project = await setUp();
    const options = { body: { metric: "calls", base: 5 }, headers: { "idempotency-key": "k" }, status: 201 };
    const first = await json(project, `POST ${ALLOWANCES}`, options);
    await consume(project, "acme", "calls");
    expect(await json(project, `POST ${ALLOWANCES}`, options)).toEqual(first);
  });
});

describe("a changed allowance", () => {
  const patch = (project: TestProject, id: string, body: object, status = 200) =>
    json<Allowance>(project, `PATCH ${ALLOWANCES}/${id}`, { body, status });

  test("keeps what is not named", async () => {
    const project = await setUp();
    const made = await post(project, { metric: "tokens", base: 10, carryover: { cap: "5" }, unavailable: "open" });
    const changed = await patch(project, made.id, { base: "20.5" });
    const [standing] = made.standing;
    expect(changed).toEqual({ ...made, base: "20.5", standing: [{ ...standing, limit: "20.5", remaining: "20.5" }] });
    const later = await patch(project, made.id, { carryover: null, late: "current" });
    expect(later).toEqual({ ...changed, carryover: null, late: "current" });
  });

  test("begins another schedule with the next cycle", async () => {
    const project = await setUp();
    const made = await post(project, { metric: "calls", base: 10, cycle: { anchor: "2026-03-01T00:00:00Z" } });
    const changed = await patch(project, made.id, { cycle: { interval: { count: 1, period: "days" } } });
    expect(changed.cycle).toEqual({ ...made.cycle, interval: { count: 1, period: "days" } });
    expect(changed.standing[0]?.cycle).toEqual({ start: "2026-03-01T00:00:00Z", end: "2026-04-01T00:00:00Z" });
    vi.setSystemTime(Date.parse("2026-04-01T00:00:00Z"));
    const [next] = (await json<Allowance>(project, `GET ${ALLOWANCES}/${made.id}`)).standing;
    expect(next?.cycle).toEqual({ start: "2026-04-01T00:00:00Z", end: "2026-04-02T00:00:00Z" });
  });

  test.each([
    ["keep", "100", { start: "2026-03-01T00:00:00Z", end: "2026-03-31T00:00:00Z" }, "40"],
    ["prorate", "70", { start: "2026-03-01T00:00:00Z", end: "2026-03-31T00:00:00Z" }, "40"],
    ["restart", "100", { start: "2026-03-16T00:00:00Z", end: "2026-04-15T00:00:00Z" }, "0"],
  ])("by %s has %s for the cycle", async (change, limit, cycle, used) => {
    const project = await setUp();
    vi.setSystemTime(Date.parse("2026-03-01T00:00:00Z"));
    const made = await post(project, {
      metric: "calls",
      base: 40,
      cycle: { interval: { count: 30, period: "days" } },
    });
    await consume(project, "acme", "calls", { amount: 40 });
    vi.setSystemTime(Date.parse("2026-03-16T00:00:00Z"));
    expect(await patch(project, made.id, { base: 100, change })).toMatchObject({ standing: [{ limit, cycle, used }] });
  });

  test("shows every label that has one of its own", async () => {
    const project = await setUp();
    const made = await post(project, { metric: "tokens", base: 10, per: "model", enforcement: "hard" });
    await consume(project, "acme", "tokens", { amount: 4, properties: { model: "a" } });
    await consume(project, "acme", "tokens", { amount: 10, properties: { model: "b" } });
    const { standing } = await patch(project, made.id, { base: 12 });
    expect(standing.map(({ label, used, remaining }) => [label, used, remaining])).toEqual([
      ["", "0", "12"],
      ["a", "4", "8"],
      ["b", "10", "2"],
    ]);
    const problem = await json<ProblemBody>(project, `PATCH ${ALLOWANCES}/${made.id}`, {
      body: { per: null },
      status: 409,
    });
    expect(problem.code).toBe("conflict");
  });
});

describe("an ended allowance", () => {
  test("denies from then on, can still be read, and makes room for another", async () => {
    const project = await setUp();
    const made = await post(project, { metric: "calls", base: 5 });
    for (const status of [204, 204])
      expect((await call(project, `DELETE ${ALLOWANCES}/${made.id}`)).status).toBe(status);
    expect(await consume(project, "acme", "calls")).toMatchObject({ allowed: false, reason: "no_allowance" });
    expect(await json(project, `GET ${ALLOWANCES}`)).toEqual({ data: [], next_cursor: null });
    expect(await json(project, `GET ${ALLOWANCES}/${made.id}`)).toMatchObject({
      ended_at: "2026-03-10T12:00:00.250Z",
      standing: [],
    });
    expect((await call(project, `PATCH ${ALLOWANCES}/${made.id}`, { body: { base: 1 } })).status).toBe(409);
    expect((await post(project, { metric: "calls", base: 7 })).id).not.toBe(made.id);
    expect(await consume(project, "acme", "calls")).toMatchObject({ allowed: true, limit: "7", used: "1" });
    vi.setSystemTime(NOW + 40 * 86_400_000);
    expect(await json(project, `GET ${ALLOWANCES}/${made.id}`)).toMatchObject({ ended_at: "2026-03-10T12:00:00.250Z" });
  });

  test("keeps its metric from being deleted until it has ended", async () => {
    const project = await setUp();
    const made = await post(project, { metric: "calls", base: 5 });
    const problem = await json<ProblemBody>(project, "DELETE /v1/metrics/calls", { status: 409 });
    expect(problem.errors).toMatchObject([
      { pointer: `/customers/acme/allowances/${made.id}`, code: "live_allowance" },
    ]);
    await call(project, `DELETE ${ALLOWANCES}/${made.id}`);
    expect((await call(project, "DELETE /v1/metrics/calls")).status).toBe(204);
    expect(await json(project, `GET ${ALLOWANCES}/${made.id}`)).toMatchObject({ metric: "calls", base: "5" });
  });
});

test.each([
  [{ metric: "calls" }, ["/base"]],
  [{ metric: "calls", base: 1, amount: 1, reason: "x" }, ["/amount"]],
  [{ metric: "calls", amount: 1 }, ["/reason"]],
  [{ metric: "calls", amount: 1, reason: "x", enforcement: "hard" }, ["/enforcement"]],
  [{ metric: "calls", base: 1, reason: "x", expires_at: null }, ["/reason", "/expires_at"]],
  [{ metric: "calls", amount: 0, reason: "x" }, ["/amount"]],
  [{ metric: "calls", amount: "0.5", reason: "x" }, ["/amount"]],
  [{ metric: "calls", amount: 1, reason: "x".repeat(501) }, ["/reason"]],
  [{ metric: "calls", amount: 1, reason: "x", expires_at: "2026-03-10T11:00:00Z" }, ["/expires_at"]],
  [{ metric: "calls", amount: 1, reason: "x", expires_at: "tomorrow" }, ["/expires_at"]],
  [{ metric: "calls", amount: -1, reason: "x", expires_at: "2027-03-10T11:00:00Z" }, ["/expires_at"]],
  [{ metric: "nothing", base: 1 }, ["/metric"]],
  [{ metric: "calls", base: null }, ["/base"]],
  [{ metric: "calls", base: "many" }, ["/base"]],
  [{ metric: "calls", base: -1 }, ["/base"]],
  [{ metric: "calls", base: 1.5 }, ["/base"]],
  [{ metric: "calls", base: 1, per: "model" }, ["/per"]],
  [{ metric: "calls", base: 1, carryover: { cap: { percent: -1 } } }, ["/carryover/cap/percent"]],
  [{ metric: "calls", base: 1, carryover: { cap: "1", expires_after: -1 } }, ["/carryover/expires_after"]],
  [{ metric: "calls", base: 1, cycle: { anchor: "2026-01-31" } }, ["/cycle/anchor"]],
  [{ metric: "calls", base: 1, cycle: { time_zone: "Mars/Olympus" } }, ["/cycle/time_zone"]],
  [{ metric: "calls", base: 1, cycle: { interval: { count: 4, period: "years" } } }, ["/cycle/interval/count"]],
  [{ metric: "calls", base: 1, limit: 5 }, ["/limit"]],
])("an allowance is not made of %j", async (body, pointers) => {
  const project = await setUp();
  const problem = await post<ProblemBody>(project, body, 400);
  expect(problem.errors?.map(({ pointer }) => pointer)).toEqual(pointers);
  for (const { detail } of problem.errors ?? []) expect(detail).toMatch(/^[A-Z].*\.$/);
  expect((await call(project, "GET /v1/customers/acme")).status).toBe(404);
});

test.each([" acme", "a\u0000b", "x".repeat(129)])(
  "an allowance is not of a customer that no event can have: %j",
  async (id) => {
    const body = { metric: "calls", base: 1 };
    const target = `POST /v1/customers/${encodeURIComponent(id)}/allowances`;
    const problem = await json<ProblemBody>(await setUp(), target, { body, status: 400 });
    expect(problem.errors).toMatchObject([{ pointer: "/id" }]);
  },
);

describe("allowances are the project's own", () => {
  test("another project's key finds neither customer nor allowance", async () => {
    const [project, other] = [await setUp(), await setUp()];
    const { id } = await post(project, { metric: "calls", base: 1 });
    for (const target of [`GET ${ALLOWANCES}`, `GET ${ALLOWANCES}/${id}`, `DELETE ${ALLOWANCES}/${id}`])
      expect((await call(other, target)).status, target).toBe(404);
    expect((await call(other, `PATCH ${ALLOWANCES}/${id}`, { body: { base: 9 } })).status).toBe(404);
    await setAllowance(other, "acme", { metric: "calls", base: 2 });
    expect((await call(other, `GET ${ALLOWANCES}/alw_0000000000000000`)).status).toBe(404);
    expect((await call(project, `GET /v1/customers/globex/allowances/${id}`)).status).toBe(404);
  });

  test("reading takes the scope read, setting admin", async () => {
    const project = await setUp();
    const { id } = await post(project, { metric: "calls", base: 1 });
    const { read, ingest } = project.keys;
    expect((await call(project, `GET ${ALLOWANCES}`, { key: read })).status).toBe(200);
    expect((await call(project, `GET ${ALLOWANCES}`, { key: ingest })).status).toBe(403);
    for (const target of [`POST ${ALLOWANCES}`, `PATCH ${ALLOWANCES}/${id}`])
      expect((await call(project, target, { key: read, body: {} })).status).toBe(403);
    expect((await call(project, `DELETE ${ALLOWANCES}/${id}`, { key: read })).status).toBe(403);
  });
});

test("a meter that cannot be reached is a 503 that says when to ask again", async () => {
  const project = await setUp();
  await post(project, { metric: "calls", base: 1 });
  const bindings = { METERS: metersThatFail() };
  for (const target of [`GET ${ALLOWANCES}`, `POST ${ALLOWANCES}`]) {
    const body = target.startsWith("POST") ? { body: { metric: "calls", base: 2 } } : {};
    const response = await call(project, target, { ...body, bindings });
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "2"]);
  }
});
