import { decidedCounter } from "@tidemark/contract";
import type { CustomerUsage } from "@tidemark/contract/customer-schema";
import type { MetricInput } from "@tidemark/contract/metric-schema";
import type { TopCustomersAnswer } from "@tidemark/contract/report-schema";
import type { Usage } from "@tidemark/contract/usage-schema";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { addVersion } from "../../../test/add-version.ts";
import { json, makeMetric, makeProject, store, type TestProject, type Use } from "../../../test/fixture.ts";
import { consume, setAllowance } from "../../../test/quota-fixture.ts";

const NOW = Date.parse("2026-11-21T15:30:00Z");
const RANGE = "from=2026-11-20&to=2026-11-22";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A metric with events and decisions, as meters have sent them. */
async function setUp(rules: Partial<MetricInput>, events: readonly Use[], decided: readonly Use[]) {
  const project = await makeProject();
  const { aggregation = "sum" } = rules;
  const { id } = await makeMetric(project, { slug: "m", aggregation, value_property: "n", ...rules });
  await store(project, id, events, 1, aggregation);
  await store(project, decidedCounter(id), decided, 1, aggregation);
  return project;
}

async function values(project: TestProject, query: string): Promise<readonly (string | null)[]> {
  const usage = await json<Usage>(project, `GET /v1/usage?metric=m&${RANGE}&${query}`);
  return usage.data.map(({ value }) => value);
}

describe("what was consumed is usage like what was reported", () => {
  const yesterday = NOW - 86_400_000;

  test("over time, by label and by segment, of all customers and of one", async () => {
    const segments = [{ name: "EU", filters: { and: [{ property: "r", op: "equals" as const, value: "EU" }] } }];
    const project = await setUp(
      { group_by: ["model"], segments },
      [{ customer: "a", at: yesterday, value: 5, labels: ["x"] }],
      [
        { customer: "a", at: yesterday, value: 7, labels: ["x"], segments: 1 },
        { customer: "b", at: NOW, value: 11, labels: ["y"] },
      ],
    );
    expect(await values(project, "")).toEqual(["12", "11"]);
    expect(await values(project, "customer_id=a")).toEqual(["12", "0"]);
    expect(await values(project, "segment=EU")).toEqual(["7", "0"]);
    expect(await values(project, "filter=model:x")).toEqual(["12", "0"]);
    const report = await json<TopCustomersAnswer>(project, "GET /v1/reports/top-customers?metric=m&days=7");
    expect(report.data.map(({ customer_id, total }) => [customer_id, total])).toEqual([
      ["a", "12"],
      ["b", "11"],
    ]);
    const customer = await json<CustomerUsage>(project, "GET /v1/customers/a/usage?days=7");
    expect(customer.data).toMatchObject([{ metric: "m", value: "12" }]);
  });

  test("by the highest value, and by the same ids counted once", async () => {
    const [low, high] = [[{ customer: "a", at: yesterday, value: 5 }], [{ customer: "a", at: yesterday, value: 7 }]];
    expect(await values(await setUp({ aggregation: "max" }, low, high), "")).toEqual(["7", null]);
    expect(await values(await setUp({ aggregation: "max" }, high, low), "")).toEqual(["7", null]);
    const unique = { aggregation: "unique", value_property: null, distinct_by: "u" } as const;
    expect(await values(await setUp(unique, low, [...low, ...high]), "")).toEqual(["2", "0"]);
  });

  test("as soon as the meter has decided", async () => {
    const project = await makeProject();
    await makeMetric(project, { slug: "m", type: "limit_metered" });
    await setAllowance(project, "a", { metric: "m", base: 10 });
    await consume(project, "a", "m", { amount: 4 });
    await consume(project, "a", "m", { amount: 40 });
    expect(await values(project, "customer_id=a")).toEqual(["0", "4"]);
  });

  test("by the labels of the version that was in force, and for good, whatever was backfilled since", async () => {
    const project = await makeProject();
    const { id } = await makeMetric(project, { slug: "m", group_by: ["model", "region"] });
    await store(project, decidedCounter(id), [{ customer: "a", at: yesterday, value: 3, labels: ["x", "eu"] }]);
    const times = { effectiveFrom: NOW - 3_600_000, shownFrom: NOW - 3_600_000 };
    const counter = await addVersion(project, id, { group_by: ["region"] }, times);
    await store(project, decidedCounter(counter), [{ customer: "a", at: NOW, value: 5, labels: ["eu"] }]);
    expect(await values(project, "filter=region:eu")).toEqual(["3", "5"]);
    expect(await values(project, "customer_id=a&filter=region:eu")).toEqual(["3", "5"]);
    await env.DB.prepare("UPDATE metric_versions SET shown_from = NULL WHERE project_id = ?").bind(project.id).run();
    expect(await values(project, "")).toEqual(["3", "5"]);
  });
});
