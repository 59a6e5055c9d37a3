import type { ProblemBody } from "@tidemark/contract";
import type { ComparedAnswer, DormantAnswer, TopCustomersAnswer } from "@tidemark/contract/report-schema";
import { DROPPING, GROWING, hasChanged } from "@tidemark/core/report-rules";
import { DAY_MS, dayOf } from "@tidemark/core/timestamp";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { json, makeMetric, makeProject, store, type TestProject, type Use } from "../../../test/fixture.ts";

const NOW = Date.parse("2026-11-21T15:30:00Z");

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
});

function instantText(at: number): string {
  return new Date(at).toISOString().replace(".000Z", "Z");
}

describe("who changed", () => {
  const daily = (customer: string, from: number, to: number, perDay: number): Use[] =>
    Array.from({ length: from - to + 1 }, (_, index) => ({
      customer,
      at: NOW - (from - index) * DAY_MS,
      value: perDay,
    }));

  async function setUp(uses: readonly Use[], rules: object = {}): Promise<TestProject> {
    const project = await makeProject();
    const metric = await makeMetric(project, { slug: "m", aggregation: "sum", value_property: "n", ...rules });
    await store(project, metric.id, uses);
    return project;
  }

  /** Two days of the week before, and two of the last one. */
  const AGO = [14, 9, 7, 1];

  async function listed(project: TestProject, report: string): Promise<readonly (readonly [string, string])[]> {
    const { data } = await json<ComparedAnswer>(project, `GET /v1/reports/${report}?metric=m&days=7`);
    return data.map(({ customer_id, change }) => [customer_id, change]);
  }

  test("by exactly 30 % up or 50 % down is not listed, and by the smallest unit more is", async () => {
    const project = await setUp([
      ...daily("up30", 13, 8, 10),
      ...daily("up30", 6, 1, 13),
      ...daily("up31", 13, 8, 10),
      ...daily("up31", 6, 2, 13),
      ...daily("up31", 1, 1, 14),
      ...daily("down50", 14, 8, 10),
      ...daily("down50", 7, 1, 5),
      ...daily("down51", 14, 8, 10),
      ...daily("down51", 7, 2, 5),
      ...daily("down51", 1, 1, 4),
    ]);
    expect(await listed(project, "growing")).toEqual([["up31", "0.3167"]]);
    expect(await listed(project, "dropping")).toEqual([["down51", "-0.5143"]]);
  });

  test("from nothing, or only today, is not listed; who went to nothing is, the largest first", async () => {
    const project = await setUp([
      ...daily("new", 6, 1, 10),
      ...daily("today", 0, 0, 1_000),
      ...daily("small", 14, 8, 1),
      ...daily("large", 14, 8, 100),
      ...daily("back", 14, 8, 50),
      ...daily("back", 0, 0, 50),
    ]);
    expect(await listed(project, "growing")).toEqual([]);
    expect(await listed(project, "dropping")).toEqual([
      ["large", "-1"],
      ["back", "-1"],
      ["small", "-1"],
    ]);
    const { data } = await json<ComparedAnswer>(project, "GET /v1/reports/dropping?metric=m");
    expect(data[1]).toMatchObject({ value: "0", last_seen_at: instantText(NOW) });
  });

  test("below zero counts as nothing, unless the metric allows it", async () => {
    const uses = [
      ...daily("a", 14, 8, 10),
      ...daily("a", 7, 1, -10),
      ...daily("b", 14, 8, -10),
      ...daily("b", 7, 1, 10),
    ];
    expect(await listed(await setUp(uses), "dropping")).toEqual([["a", "-1"]]);
    const signed = await setUp(uses, { allow_negative: true });
    expect(await listed(signed, "dropping")).toEqual([["a", "-2"]]);
    expect(await listed(signed, "growing")).toEqual([]);
  });

  test("beyond 64 bits is still told to the unit", async () => {
    const huge = 9_000_000_000_000_000_000n;
    const at = (days: number): number => NOW - days * DAY_MS;
    const project = await setUp([
      ...[8, 9].map((days) => ({ customer: "exactly", at: at(days), value: huge })),
      ...[1, 2].map((days) => ({ customer: "exactly", at: at(days), value: huge })),
      { customer: "exactly", at: at(3), value: (huge * 6n) / 10n },
      ...[8, 9].map((days) => ({ customer: "more", at: at(days), value: huge })),
      ...[1, 2].map((days) => ({ customer: "more", at: at(days), value: huge })),
      { customer: "more", at: at(3), value: (huge * 6n) / 10n + 1n },
    ]);
    expect(await listed(project, "growing")).toEqual([["more", "0.3"]]);
  });

  test("is judged by the database like by the rules, also below zero and beyond 64 bits", async () => {
    const near = fc.bigInt({ min: -300n, max: 300n });
    const far = fc.bigInt({ min: -5_000_000_000_000_000_000n, max: 5_000_000_000_000_000_000n });
    const value = fc.oneof(near, far);
    const days = fc.tuple(value, value, value, value);
    const customers = fc.sample(fc.tuple(days, fc.integer({ min: -2, max: 2 })), { numRuns: 300, seed: 5 });
    const uses = customers.flatMap(([values, step], who) => {
      const [first, second, third, last] = values;
      const before = first + second;
      // Every other customer is within two units of a rule's line.
      const line = who % 4 === 0 ? (before * 13n) / 10n : before / 2n;
      const now = who % 2 === 0 ? [line / 2n, line - line / 2n + BigInt(step)] : [third, last];
      return [first, second, ...now].map((amount, index) => ({
        customer: `c${who}`,
        at: NOW - (AGO[index] ?? 0) * DAY_MS,
        value: amount,
      }));
    });
    const project = await setUp(uses, { allow_negative: true });
    const totals = [...Map.groupBy(uses, ({ customer }) => customer)].map(([customer, own]) => {
      const [first = 0n, second = 0n, third = 0n, last = 0n] = own.map((use) => use.value);
      return { customer, previous: first + second, now: third + last };
    });
    for (const [query, rule] of [
      ["dropping?metric=m&days=7", DROPPING],
      ["growing?metric=m&days=8", GROWING],
    ] as const) {
      const { data, count } = await json<ComparedAnswer>(project, `GET /v1/reports/${query}&limit=500`);
      const expected = totals.filter((one) => hasChanged(rule, one.now, one.previous));
      expect(data.map(({ customer_id }) => customer_id).toSorted()).toEqual(
        expected.map(({ customer }) => customer).toSorted(),
      );
      expect(count).toBe(expected.length);
      expect(count).toBeGreaterThan(20);
    }
  });

  test("is counted in full, whatever is shown", async () => {
    const uses = Array.from({ length: 7 }, (_, who) => [
      ...daily(`c${who}`, 13, 8, 1),
      ...daily(`c${who}`, 6, 1, who + 2),
      ...daily(`d${who}`, 30, 20, who + 1),
    ]).flat();
    const project = await setUp(uses);
    const growing = await json<ComparedAnswer>(project, "GET /v1/reports/growing?metric=m&days=7&limit=2");
    expect([growing.count, growing.data.map(({ customer_id }) => customer_id)]).toEqual([7, ["c6", "c5"]]);
    const dormant = await json<DormantAnswer>(project, "GET /v1/reports/dormant?metric=m&limit=2");
    expect([dormant.count, dormant.data.map(({ customer_id }) => customer_id)]).toEqual([7, ["d6", "d5"]]);
  });

  test("is dormant after exactly seven days, and while its use is not forgotten", async () => {
    const at = (ms: number): number => NOW - 7 * DAY_MS + ms;
    const project = await setUp([
      { customer: "exactly", at: at(0) },
      { customer: "nearly", at: at(1_000) },
      { customer: "first-day", at: NOW - 37 * DAY_MS },
      { customer: "long-ago", at: NOW - 38 * DAY_MS },
    ]);
    const { data } = await json<DormantAnswer>(project, "GET /v1/reports/dormant?metric=m");
    expect(data.map(({ customer_id, silent_days }) => [customer_id, silent_days])).toEqual([
      ["exactly", 7],
      ["first-day", 37],
    ]);
  });

  test("is told by every report as by its trend", async () => {
    const project = await makeProject();
    const metric = await makeMetric(project, { slug: "m" });
    const often = (customer: string, from: number, to: number, perDay: number): Use[] =>
      daily(customer, from, to, 1).flatMap((use) => Array.from({ length: perDay }, () => ({ ...use, value: 1 })));
    await store(project, metric.id, [
      ...often("acme_corp", 70, 0, 5),
      ...often("wayne_ent", 70, 30, 3),
      ...often("wayne_ent", 29, 0, 4),
      ...often("stark_ind", 70, 2, 3),
      ...often("umbrella_co", 70, 0, 4),
      ...often("initech_llc", 36, 12, 1),
      ...often("hooli", 70, 30, 4),
      ...often("hooli", 29, 0, 1),
      ...often("pied_piper", 10, 0, 2),
    ]);
    const read = async (query: string): Promise<readonly string[]> => {
      const { data } = await json<ComparedAnswer>(project, `GET /v1/reports/${query}`);
      return data.map(({ customer_id }) => customer_id);
    };
    const { data } = await json<TopCustomersAnswer>(project, "GET /v1/reports/top-customers?metric=m");
    expect(Object.fromEntries(data.map(({ customer_id, trend }) => [customer_id, trend]))).toEqual({
      acme_corp: "steady",
      wayne_ent: "growing",
      stark_ind: "check_in",
      umbrella_co: "steady",
      initech_llc: "dormant",
      hooli: "declining",
      pied_piper: "new",
    });
    expect(await read("growing?metric=m")).toEqual(["initech_llc", "wayne_ent"]);
    expect(await read("dropping?metric=m&days=30")).toEqual(["hooli"]);
    expect(await read("dropping?metric=m")).toEqual(["initech_llc"]);
    expect(await read("dormant?metric=m")).toEqual(["initech_llc"]);
  });

  test("is asked of so many distinct values that it is too much", async () => {
    const project = await makeProject();
    const metric = await makeMetric(project, { slug: "m", aggregation: "unique", distinct_by: "u" });
    await env.DB.prepare(
      `INSERT INTO usage_days (project_id, metric_id, day, customer_id, version, value, events, rejected, last_at, groups, ids)
       WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 50000)
       SELECT ?, ?, CAST(? AS INTEGER) - i / 20000, 'c' || (i % 20000), 1, 1, 1, 0, 0, '[]', '{"ids":[' || i || ',1]}' FROM n`,
    )
      .bind(project.id, metric.id, dayOf(NOW))
      .run();
    for (const report of ["growing", "dropping", "dormant"]) {
      const problem = await json<ProblemBody>(project, `GET /v1/reports/${report}?metric=m`, { status: 400 });
      expect(problem.errors).toMatchObject([{ pointer: "/days", code: "too_many_rows" }]);
    }
  });
});
