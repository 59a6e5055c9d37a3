import { decidedCounter, meterName } from "@tidemark/contract";
import type { Usage } from "@tidemark/contract/usage-schema";
import { DAY_MS, dayOf, HOUR_MS } from "@tidemark/core/timestamp";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { insertDay, json, makeMetric, makeProject, metersThat, store, toDays } from "../../../test/fixture.ts";

const NOW = Date.parse("2026-11-21T15:30:00Z");

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
});

describe("one customer's usage", () => {
  const day = dayOf(NOW);
  const today = (hour: number) => day * DAY_MS + hour * HOUR_MS;

  async function setUp() {
    const project = await makeProject();
    const metric = await makeMetric(project, { group_by: ["model"] });
    const path = `GET /v1/usage?metric=${metric.slug}&customer_id=acme&from=2026-11-20&to=2026-11-22`;
    return { project, metric, path };
  }

  test("takes a day from the meter where the meter's version is higher, and from the database where it is not", async () => {
    const { project, metric, path } = await setUp();
    await store(
      project,
      metric.id,
      [
        { customer: "acme", at: today(1) - DAY_MS, labels: ["a"] },
        { customer: "acme", at: today(1), labels: ["a"] },
      ],
      5,
    );
    const yesterdayLive = toDays(
      metric.id,
      Array.from({ length: 9 }, () => ({ customer: "acme", at: today(2) - DAY_MS, labels: ["b"] })),
      4,
    );
    const todayLive = toDays(
      metric.id,
      Array.from({ length: 3 }, () => ({ customer: "acme", at: today(2), labels: ["b"] })),
      6,
    );
    const METERS = metersThat(async () => ({ as_of: NOW + 5, days: [...yesterdayLive, ...todayLive] }));
    const usage = await json<Usage>(project, path, { bindings: { METERS } });
    expect(usage).toMatchObject({ live: true, as_of: "2026-11-21T15:30:00.005Z" });
    expect(usage.data.map(({ value }) => value)).toEqual(["1", "3"]);
    const grouped = await json<Usage>(project, `${path}&group_by=model&tz=Asia/Tokyo`, { bindings: { METERS } });
    expect(
      grouped.data.filter(({ value }) => value !== "0").map(({ start, value, group }) => [start, value, group]),
    ).toEqual([
      ["2026-11-19T15:00:00Z", "1", { model: "a" }],
      ["2026-11-20T15:00:00Z", "3", { model: "b" }],
    ]);
  });

  test("counts a day once that the meter and the database know equally well", async () => {
    const { project, metric, path } = await setUp();
    const uses = [today(1), today(2)].map((instant) => ({ customer: "acme", at: instant, labels: ["a"] }));
    await store(project, metric.id, uses, 5);
    const METERS = metersThat(async () => ({ as_of: NOW, days: toDays(metric.id, uses, 5) }));
    const usage = await json<Usage>(project, path, { bindings: { METERS } });
    expect(usage.data.map(({ value }) => value)).toEqual(["0", "2"]);
  });

  test("includes days that have not reached the database, and counts what was rejected by the newer version", async () => {
    const { project, metric, path } = await setUp();
    const [stored] = toDays(metric.id, [{ customer: "acme", at: today(1) - DAY_MS }], 3);
    const [live] = toDays(metric.id, [{ customer: "acme", at: today(1) }], 9);
    if (stored === undefined || live === undefined) throw new Error("days were made");
    await insertDay(project, "acme", { ...stored, rejected: 2 }).run();
    const METERS = metersThat(async () => ({
      as_of: NOW,
      days: [
        { ...stored, version: 7, rejected: 5 },
        { ...live, rejected: 1 },
      ],
    }));
    const usage = await json<Usage>(project, path, { bindings: { METERS } });
    expect(usage.data.map(({ value }) => value)).toEqual(["1", "1"]);
    expect(usage.rejected).toBe(6);
    expect((await json<Usage>(project, path)).rejected).toBe(2);
  });

  test("asks the meter only for days that can still change", async () => {
    const { project, metric } = await setUp();
    const asked: unknown[] = [];
    const METERS = metersThat(async (request) => {
      asked.push(request);
      return { as_of: NOW, days: [] };
    });
    const from = (path: string) =>
      json<Usage>(project, `GET /v1/usage?metric=${metric.slug}&customer_id=acme&${path}`, { bindings: { METERS } });
    expect((await from("from=2026-01-01&to=2026-11-22&grain=month")).live).toBe(true);
    expect((await from("from=2026-01-01&to=2026-10-01&grain=month")).live).toBe(false);
    const metric_ids = [metric.id, decidedCounter(metric.id)];
    expect(asked).toEqual([
      { project_id: project.id, customer_id: "acme", metric_ids, from_day: day - 42, to_day: day },
    ]);
  });

  test("comes from the database alone when the meter fails or is too slow", async () => {
    const { project, metric, path } = await setUp();
    await store(project, metric.id, [{ customer: "acme", at: today(1) }]);
    const failing = metersThat(() => Promise.reject(new Error("evicted")));
    const failed = await json<Usage>(project, path, { bindings: { METERS: failing } });
    expect([failed.live, failed.data.map(({ value }) => value)]).toEqual([false, ["0", "1"]]);

    vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"], now: NOW });
    const silent = metersThat(() => new Promise(() => undefined));
    const pending = json<Usage>(project, path, { bindings: { METERS: silent } });
    await vi.waitFor(() => expect(vi.getTimerCount()).toBe(1));
    vi.advanceTimersByTime(3_000);
    expect((await pending).live).toBe(false);
  });

  test("comes from the real meter before anything has reached the database", async () => {
    const { project, metric, path } = await setUp();
    const address = { project_id: project.id, customer_id: "acme" };
    const meter = env.METERS.get(env.METERS.idFromName(meterName(project.id, "acme")));
    await meter.apply({
      ...address,
      fingerprints: Uint32Array.of(1, 1, 1, 2, 2, 2, 3, 3, 3),
      instants: Float64Array.of(today(1), today(1), today(1) - DAY_MS),
      series: [
        { metric_id: metric.id, aggregation: "count", labels: ["a"], segments: 0 },
        { metric_id: metric.id, aggregation: "count", labels: ["b"], segments: 0 },
      ],
      matches: Uint32Array.of(0, 0, 1, 1, 2, 0),
      values: Float64Array.of(1, 1, 1),
      large: [],
      rejected: [],
      catalog_version: 1,
      recent: [],
    });
    const usage = await json<Usage>(project, path, { bindings: { METERS: env.METERS } });
    expect([usage.live, usage.data.map(({ value }) => value)]).toEqual([true, ["1", "2"]]);
    const grouped = await json<Usage>(project, `${path}&group_by=model`, { bindings: { METERS: env.METERS } });
    expect(grouped.data.map(({ group, value }) => `${group?.["model"]} ${value}`)).toEqual([
      "a 1",
      "b 0",
      "a 1",
      "b 1",
    ]);
  });

  test("is zero for a customer whom nobody knows", async () => {
    const { project, path } = await setUp();
    const usage = await json<Usage>(project, path.replace("acme", "nobody"));
    expect(usage.data.map(({ value }) => value)).toEqual(["0", "0"]);
  });
});
