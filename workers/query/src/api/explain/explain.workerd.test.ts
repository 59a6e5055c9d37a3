import type { Explanation } from "@tidemark/contract/explain-schema";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { call, json, makeMetric, makeProject, type TestProject } from "../../../test/fixture.ts";
import { consume, metersThatFail, reserve, setAllowance } from "../../../test/quota-fixture.ts";

const NOW = Date.parse("2026-03-10T12:00:00Z");
const EXPLAIN = "/v1/customers/acme/explain";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
});

async function setUp(): Promise<TestProject> {
  const project = await makeProject();
  const filters = { and: [{ property: "status", op: "equals" as const, value: 200 }] };
  await makeMetric(project, { slug: "calls", type: "limit_metered", filters });
  await json(project, "POST /v1/thresholds", { body: { metric: "calls", percent: 80 }, status: 201 });
  await setAllowance(project, "acme", { metric: "calls", base: 1000 });
  return project;
}

function explain(project: TestProject, query: string): Promise<Explanation> {
  return json(project, `GET ${EXPLAIN}?${query}`);
}

test("a denial is explained by what had been used and reserved, and everything that this is made of", async () => {
  const project = await setUp();
  await consume(project, "acme", "calls", { amount: 900, id: "first" });
  await reserve(project, "acme", "calls", 100);
  vi.setSystemTime(NOW + 1_000);
  await consume(project, "acme", "calls", { amount: 1, id: "denied" });
  const explanation = await explain(project, "metric=calls");
  expect(explanation).toMatchObject({
    customer_id: "acme",
    metric: "calls",
    as_of: "2026-03-10T12:00:01Z",
    counts: {
      version: 1,
      from: null,
      aggregation: "count",
      event_matchers: [{ event: "api_request" }],
      filters: { and: [{ property: "status", op: "equals", value: 200 }] },
      value_property: null,
      distinct_by: null,
    },
    balances: [
      { metric: "calls", used: "900", reserved: "100", holds: [{ units: "100" }], buckets: [{ kind: "base" }] },
    ],
    thresholds: [{ percent: 80, value: null, operator: ">=" }],
  });
  const [denied, ...earlier] = explanation.decisions;
  expect(denied).toMatchObject({
    id: "denied",
    kind: "consume",
    at: "2026-03-10T12:00:01Z",
    allowed: false,
    reason: "limit_reached",
    because: "900 of 1000 were used and 100 were reserved, so it did not fit; the limit is hard.",
    paid: [],
    cycle: { start: "2026-03-10T12:00:00Z", end: "2026-04-10T12:00:00Z" },
  });
  expect(earlier.at(-1)).toMatchObject({
    id: "first",
    allowed: true,
    amounts: [{ metric: "calls", amount: "900" }],
    paid: [{ bucket: "base:0", units: "900" }],
    because: "It fit: 900 of 1000 were used after it, and 100 remained.",
  });
});

test("one decision is found by its id, and those until a time by this", async () => {
  const project = await setUp();
  for (const id of ["a", "b", "c"]) {
    await consume(project, "acme", "calls", { id });
    vi.setSystemTime(Date.now() + 60_000);
  }
  const ids = async (query: string) => (await explain(project, `metric=calls&${query}`)).decisions.map(({ id }) => id);
  expect(await ids("")).toEqual(["c", "b", "a"]);
  expect(await ids("id=b")).toEqual(["b"]);
  expect(await ids("id=nothing")).toEqual([]);
  expect(await ids("at=2026-03-10T12:01:30Z")).toEqual(["b", "a"]);
});

test("an explanation is of the project's own customer and metric, and needs the meter", async () => {
  const project = await setUp();
  const other = await makeProject();
  await makeMetric(other, { slug: "calls" });
  expect((await call(other, `GET ${EXPLAIN}?metric=calls`)).status).toBe(404);
  expect((await call(project, `GET ${EXPLAIN}?metric=nothing`)).status).toBe(404);
  expect((await call(project, `GET ${EXPLAIN}`)).status).toBe(400);
  expect((await call(project, `GET ${EXPLAIN}?metric=calls&at=now`)).status).toBe(400);
  const bindings = { METERS: metersThatFail() };
  expect((await call(project, `GET ${EXPLAIN}?metric=calls`, { bindings })).status).toBe(503);
});
