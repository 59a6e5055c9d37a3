import { NEAR_LIMIT_CANDIDATES_MAX } from "@tidemark/contract/query-limits";
import type { NearLimitAnswer } from "@tidemark/contract/report-schema";
import { insertNearLimits } from "@tidemark/db/near-limits";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { json, makeMetric, makeProject, type TestProject } from "../../../test/fixture.ts";
import { consume, metersThatFail, report, reserve, setAllowance } from "../../../test/quota-fixture.ts";

const NOW = Date.parse("2026-11-21T15:30:00Z");
const CYCLE = { cycle: { anchor: "2026-11-01T00:00:00Z" } };

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
});

async function setUp(rules: object = {}): Promise<{ readonly project: TestProject; readonly id: string }> {
  const project = await makeProject();
  const { id } = await makeMetric(project, { slug: "m", type: "limit_recurring", ...rules });
  return { project, id };
}

/** What a customer's meter told when a balance came near its limit. */
async function tell(project: TestProject, metricId: string, customer: string, at = NOW): Promise<void> {
  const balances = [{ metric_id: metricId, balance: `b-${customer}`, at, cycle_end: NOW + 86_400_000 }];
  const message = { kind: "near_limits", project_id: project.id, customer_id: customer, balances } as const;
  await insertNearLimits(env.DB, message).run();
}

async function read(project: TestProject, options = {}): Promise<NearLimitAnswer> {
  return json<NearLimitAnswer>(project, "GET /v1/reports/near-limit?metric=m", options);
}

test("lists who has used four fifths of what the cycle has, the fullest first", async () => {
  const { project, id } = await setUp();
  const used = { exactly: 80, nearly: 79, full: 100, most: 95 };
  for (const [customer, amount] of Object.entries(used)) {
    await setAllowance(project, customer, { metric: "m", base: 100, enforcement: "hard", ...CYCLE });
    await consume(project, customer, "m", { amount });
    await tell(project, id, customer);
  }
  await env.DB.prepare("UPDATE customers SET name = 'Most Ltd' WHERE customer_id = 'most'").run();
  const answer = await read(project);
  expect(answer).toMatchObject({
    report: "near-limit",
    as_of: "2026-11-21T15:30:00Z",
    unanswered: 0,
    more: false,
    count: 3,
  });
  expect(answer.data.map(({ rank, customer_id, share }) => [rank, customer_id, share])).toEqual([
    [1, "full", "1"],
    [2, "most", "0.95"],
    [3, "exactly", "0.8"],
  ]);
  expect(answer.data[1]).toEqual({
    rank: 2,
    customer_id: "most",
    name: "Most Ltd",
    balance_id: expect.stringMatching(/^alw_/) as string,
    product: null,
    label: null,
    enforcement: "hard",
    used: "95",
    reserved: "0",
    allowance: "100",
    share: "0.95",
    remaining: "5",
    cycle: { start: "2026-11-01T00:00:00Z", end: "2026-12-01T00:00:00Z" },
  });
});

test("goes by what was used and granted since it was told, and by the cycle that goes on", async () => {
  const { project, id } = await setUp();
  for (const customer of ["raised", "reserving", "over"]) {
    await setAllowance(project, customer, { metric: "m", base: 100, ...CYCLE });
    await tell(project, id, customer);
  }
  await consume(project, "raised", "m", { amount: 90 });
  const top = { metric: "m", amount: 100, reason: "goodwill" };
  await json(project, "POST /v1/customers/raised/allowances", { body: top, status: 201 });
  await reserve(project, "reserving", "m", 90);
  await report(project, "over", { id, aggregation: "count" }, [{ at: NOW, value: 130 }]);
  const { data } = await read(project);
  expect(data).toMatchObject([{ customer_id: "over", used: "130", share: "1.3", remaining: "0" }]);
  vi.setSystemTime(Date.parse("2026-12-01T00:00:00Z"));
  expect((await read(project)).data).toEqual([]);
});

test("shows shares cut off, of a metric with decimals, and a balance for each label", async () => {
  const { project, id } = await setUp({
    aggregation: "sum",
    value_property: "n",
    decimal_places: 2,
    group_by: ["region"],
  });
  await setAllowance(project, "a", { metric: "m", base: 30, per: "region", ...CYCLE });
  const facts = [
    { at: NOW, value: 2_999, labels: ["eu"] },
    { at: NOW, value: 2_400, labels: ["us"] },
    { at: NOW, value: 10, labels: ["ap"] },
  ];
  await report(project, "a", { id, aggregation: "sum" }, facts);
  await tell(project, id, "a");
  const { data } = await read(project);
  expect(data.map(({ label, used, allowance, share }) => [label, used, allowance, share])).toEqual([
    ["eu", "29.99", "30", "0.9996"],
    ["us", "24", "30", "0.8"],
  ]);
});

test("says when there are more customers than it asks, and when meters do not answer", async () => {
  const { project, id } = await setUp();
  for (let who = 0; who <= NEAR_LIMIT_CANDIDATES_MAX; who++) await tell(project, id, `c${who}`, NOW - who);
  const answer = await read(project, { bindings: { METERS: metersThatFail() } });
  expect(answer).toMatchObject({ more: true, unanswered: NEAR_LIMIT_CANDIDATES_MAX, count: 0, data: [] });
});
