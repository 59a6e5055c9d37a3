import type { MeterAddress, ProblemBody, RecentEvent } from "@tidemark/contract";
import type { CustomerEvents, RejectedEvents } from "@tidemark/contract/event-list-schema";
import { MetricDay, type RejectionCode } from "@tidemark/core";
import { DAY_MS, dayOf } from "@tidemark/core/timestamp";
import { writeUsageDays } from "@tidemark/db/rollups";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { addVersion } from "../../../test/add-version.ts";
import { insertCustomer, json, makeMetric, makeProject, type TestProject } from "../../../test/fixture.ts";
import type { QueryEnv } from "../../env.ts";

const NOW = Date.parse("2026-11-21T15:30:00Z");

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
});

interface Rejected {
  readonly counter: string;
  readonly customer: string;
  readonly daysAgo: number;
  readonly code: RejectionCode;
  readonly events?: number;
}

/** Stores rejected events as a meter would have sent them. */
async function reject(project: TestProject, rejected: readonly Rejected[]): Promise<void> {
  const days = new Map<string, { readonly customer: string; readonly day: MetricDay }>();
  for (const { counter, customer, daysAgo, code, events = 1 } of rejected) {
    const at = NOW - daysAgo * DAY_MS;
    const key = JSON.stringify([counter, customer, daysAgo]);
    const { day } = days.get(key) ?? { day: MetricDay.empty(counter, "sum", dayOf(at)) };
    days.set(key, { customer, day });
    for (let i = 0; i < events; i++) day.reject(code, { id: `${code}-${i}`, at: at + i, found: "x" }, 1);
  }
  const rows = Array.from(days.values(), ({ customer, day }) => ({
    project_id: project.id,
    customer_id: customer,
    days: [day.toUsage()],
  }));
  await writeUsageDays(env.DB, rows);
}

interface Page {
  readonly data: readonly RejectedEvents[];
  readonly next_cursor: string | null;
}

describe("rejected events", () => {
  test("are listed by day and reason, the newest day first, with what to do and an example", async () => {
    const project = await makeProject();
    const metric = await makeMetric(project, { aggregation: "sum", value_property: "size.kb", decimal_places: 2 });
    await reject(project, [
      { counter: metric.id, customer: "b", daysAgo: 1, code: "value_missing" },
      { counter: metric.id, customer: "a", daysAgo: 1, code: "too_precise", events: 3 },
      { counter: metric.id, customer: "a", daysAgo: 1, code: "not_a_number" },
      { counter: metric.id, customer: "c", daysAgo: 0, code: "out_of_range" },
      { counter: metric.id, customer: "a", daysAgo: 7, code: "value_missing" },
    ]);
    const page = await json<Page>(project, `GET /v1/events/rejected?metric=${metric.slug}`);
    expect(page.next_cursor).toBeNull();
    expect(page.data.map(({ day, customer_id, code, events }) => [day, customer_id, code, events])).toEqual([
      ["2026-11-21", "c", "out_of_range", 1],
      ["2026-11-20", "a", "not_a_number", 1],
      ["2026-11-20", "a", "too_precise", 3],
      ["2026-11-20", "b", "value_missing", 1],
    ]);
    expect(page.data[2]).toEqual({
      metric: metric.slug,
      customer_id: "a",
      day: "2026-11-20",
      code: "too_precise",
      reason: expect.stringMatching(/size\.kb .* 2 decimal places: round it/) as string,
      events: 3,
      example: { id: "too_precise-2", at: "2026-11-20T15:30:00.002Z", found: "x" },
    });
    const longer = await json<Page>(project, `GET /v1/events/rejected?metric=${metric.slug}&days=8`);
    expect(longer.data).toHaveLength(5);
  });

  test("are read page by page, each once", async () => {
    const project = await makeProject();
    const metric = await makeMetric(project, { aggregation: "sum", value_property: "n" });
    const codes = ["value_missing", "not_a_number", "too_precise"] as const;
    await reject(
      project,
      [0, 1, 2].flatMap((daysAgo) =>
        ["a", "B", "ü"].flatMap((customer) => codes.map((code) => ({ counter: metric.id, customer, daysAgo, code }))),
      ),
    );
    const path = `GET /v1/events/rejected?metric=${metric.slug}`;
    const all = (await json<Page>(project, path)).data;
    expect(all).toHaveLength(27);
    const read: RejectedEvents[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const page: Page = await json<Page>(project, `${path}&limit=4${cursor === "" ? "" : `&cursor=${cursor}`}`);
      read.push(...page.data);
      cursor = page.next_cursor;
    }
    expect(read).toEqual(all);
    await json<ProblemBody>(project, `${path}&cursor=bm90`, { status: 400 });
  });

  test("of one customer are listed over all metrics and their versions, and nobody else's are", async () => {
    const project = await makeProject();
    const other = await makeProject();
    const one = await makeMetric(project, { name: "One", aggregation: "sum", value_property: "n" });
    const two = await makeMetric(project, { name: "Two", aggregation: "unique", distinct_by: "user" });
    const counter = await addVersion(
      project,
      one.id,
      { value_property: "amount" },
      { effectiveFrom: NOW - DAY_MS, shownFrom: NOW - DAY_MS },
    );
    await reject(project, [
      { counter: one.id, customer: "a", daysAgo: 2, code: "value_missing" },
      { counter, customer: "a", daysAgo: 0, code: "value_missing" },
      { counter: two.id, customer: "a", daysAgo: 1, code: "not_an_id" },
      { counter: two.id, customer: "b", daysAgo: 1, code: "not_an_id" },
    ]);
    await reject(other, [{ counter: one.id, customer: "a", daysAgo: 1, code: "not_an_id" }]);
    const { data } = await json<Page>(project, "GET /v1/events/rejected?customer_id=a");
    expect(data.map(({ metric, reason }) => [metric, reason.split(" ").slice(0, 5).join(" ")])).toEqual([
      ["one", "The property amount is missing"],
      ["two", "The property user is a"],
      ["one", "The property n is missing"],
    ]);
  });

  test("of a whole project are asked for by metric", async () => {
    const project = await makeProject();
    const problem = await json<ProblemBody>(project, "GET /v1/events/rejected", { status: 400 });
    expect(problem.errors).toMatchObject([{ pointer: "/metric", code: "missing" }]);
    await json(project, "GET /v1/events/rejected?metric=nope", { status: 404 });
    const tooFar = await json<ProblemBody>(project, "GET /v1/events/rejected?customer_id=a&days=43", { status: 400 });
    expect(tooFar.errors?.[0]?.pointer).toBe("/days");
  });
});

describe("a customer's latest events", () => {
  const recentThat = (recent: (address: MeterAddress) => Promise<readonly RecentEvent[]>) =>
    ({ idFromName: (name: string) => name, get: () => ({ recent }) }) as unknown as QueryEnv["METERS"];

  test("come from the meter, with the metrics that counted them by their slugs", async () => {
    const project = await makeProject();
    const one = await makeMetric(project, { name: "One" });
    const two = await makeMetric(project, { name: "Two" });
    const event = { id: "e1", event: "call", at: NOW - 5, properties: { model: "gpt" } };
    const METERS = recentThat(async () => [
      { ...event, counted: [one.id, `${two.id}.3`], rejected: [] },
      { ...event, id: "e0", at: NOW - 1_000, counted: ["met_deleted"], rejected: [two.id, `${two.id}.2`] },
    ]);
    const events = await json<CustomerEvents>(project, "GET /v1/customers/acme/events", { bindings: { METERS } });
    expect(events).toEqual({
      data: [
        {
          id: "e1",
          event: "call",
          timestamp: "2026-11-21T15:29:59.995Z",
          metrics: ["one", "two"],
          rejected: [],
          properties: { model: "gpt" },
        },
        {
          id: "e0",
          event: "call",
          timestamp: "2026-11-21T15:29:59Z",
          metrics: [],
          rejected: ["two"],
          properties: { model: "gpt" },
        },
      ],
      as_of: "2026-11-21T15:30:00Z",
    });
  });

  test("are none of a customer that is known and quiet, and not found of one that nobody knows", async () => {
    const project = await makeProject();
    await insertCustomer(project, "quiet", null).run();
    const METERS = recentThat(async () => []);
    const quiet = await json<CustomerEvents>(project, "GET /v1/customers/quiet/events", { bindings: { METERS } });
    expect(quiet.data).toEqual([]);
    await json(project, "GET /v1/customers/nobody/events", { bindings: { METERS }, status: 404 });
    await json(project, "GET /v1/customers/nobody/events", { status: 404 });
  });

  test("cannot be had while the meter does not answer", async () => {
    const project = await makeProject();
    await insertCustomer(project, "acme", null).run();
    const METERS = recentThat(() => Promise.reject(new Error("evicted")));
    const problem = await json<ProblemBody>(project, "GET /v1/customers/acme/events", {
      bindings: { METERS },
      status: 503,
    });
    expect(problem.code).toBe("unavailable");
  });
});
