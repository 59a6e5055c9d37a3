import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { meterName, type NotifyMessage, type Threshold } from "@tidemark/contract";
import type { UsageEvent } from "@tidemark/core";
import { toExactJson } from "@tidemark/core/exact-json";
import { readMetered } from "@tidemark/db/metered";
import { listNearLimits } from "@tidemark/db/near-limits";
import { deleteThreshold, insertThreshold, updateThreshold } from "@tidemark/db/thresholds";
import { insertMetric, metricOf } from "@tidemark/testing/metric";
import { PipelineHarness } from "@tidemark/testing/pipeline-harness";
import { defineRequest } from "@tidemark/testing/quota";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { queue } from "./index.ts";

// Ahead of the real clock, so that no alarm rings but those that the harness rings. A Monday.
const START = Date.UTC(2032, 10, 1, 12);
const DAY = 86_400_000;
const MAX = { metricMax: 100, projectMax: 100 };

let project = "";
let projects = 0;
let events = 0;
let harness: PipelineHarness;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: START });
  vi.spyOn(console, "error").mockImplementation(() => {});
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** A project with a sum of `v` in intervals of a month, split by the region. */
async function open(metric: object = {}): Promise<void> {
  project = `watched-${++projects}`;
  harness = new PipelineHarness(queue, START, (now) => vi.setSystemTime(now));
  const equals = (value: string) => ({ and: [{ property: "r", op: "equals", value } as const] });
  const rules = {
    id: "m",
    aggregation: "sum",
    value_property: "v",
    segments: [
      { name: "EU", filters: equals("eu") },
      { name: "US", filters: equals("us") },
    ],
    default_interval: { count: 1, period: "months" },
    ...metric,
  } as const;
  await env.DB.batch([
    env.DB.prepare("DELETE FROM watches"),
    env.DB.prepare("INSERT INTO projects VALUES (?, 'p', 'UTC', 1, 0)").bind(project),
    ...insertMetric(env.DB, project, metricOf(rules)),
  ]);
}

type Wish = Partial<Omit<Threshold, "id">> & { readonly line: Threshold["line"]; readonly customer_id?: string };

/** Draws a line. */
async function draw(id: string, { customer_id, version = 1, ...wish }: Wish): Promise<void> {
  const definition = { name: null, operator: ">=", segment: null, repeat: "per_cycle", hysteresis: 0, ...wish };
  const row = {
    project_id: project,
    id,
    metric_id: "m",
    customer_id: customer_id ?? null,
    version,
    definition: toExactJson(definition),
    created_at: harness.now,
    updated_at: harness.now,
  };
  expect(await insertThreshold(env.DB, row, MAX)).toBe(true);
}

function use(v: number, change: { readonly at?: number; readonly r?: string; readonly id?: string } = {}): UsageEvent {
  const { at = harness.now, r = "eu", id = `e${++events}` } = change;
  return { id, event: "call", customer_id: "acme", timestamp: at, properties: { v, r } };
}

interface Told {
  readonly id: string;
  readonly threshold_id: string;
  readonly value: string;
}

/** What D1 was told. */
async function told(): Promise<readonly Told[]> {
  const { results } = await env.DB.prepare("SELECT id, body FROM notices WHERE project_id = ? ORDER BY at, id")
    .bind(project)
    .all<{ id: string; body: string }>();
  return results.map(({ id, body }) => ({ ...(JSON.parse(body) as Omit<Told, "id">), id }));
}

/** The meter leaves memory, as an idle one does. */
async function forgetMeter(): Promise<void> {
  await evictDurableObject(env.METERS.get(env.METERS.idFromName(meterName(project, "acme"))));
}

async function count(...used: readonly UsageEvent[]): Promise<void> {
  harness.send(project, used);
  await harness.advance(2_000);
}

describe("without an allowance, a line", () => {
  test("is crossed in the interval's usage by the very first events, once", async () => {
    await open();
    await draw("t", { line: { units: 100 } });
    await count(use(60), use(60));
    expect(await told()).toMatchObject([
      { threshold_id: "t", value: "120", previous_value: "60", cycle: { start: "2032-11-01T00:00:00.000Z" } },
    ]);
    await count(use(-50), use(80));
    expect(await told()).toHaveLength(1);
  });

  test("that was drawn between two batches is crossed by the second", async () => {
    await open();
    await count(use(60));
    await draw("t", { line: { units: 100 } });
    await count(use(60));
    expect(await told()).toMatchObject([{ threshold_id: "t", value: "120" }]);
  });

  test("that usage is beyond when it is drawn is crossed in the next interval", async () => {
    await open();
    await count(use(100));
    await draw("t", { line: { units: 100 } });
    await count(use(60));
    expect(await told()).toEqual([]);
    await harness.advance(30 * DAY, DAY);
    await count(use(99), use(1));
    expect(await told()).toMatchObject([{ value: "100", cycle: { start: "2032-12-01T00:00:00.000Z" } }]);
  });

  test("is not crossed by facts of an interval that is over", async () => {
    await open();
    await draw("t", { line: { units: 100 } });
    await count(use(60), use(900, { at: START - 5 * DAY }));
    expect(await told()).toEqual([]);
  });

  test("of one customer is not another's", async () => {
    await open();
    await draw("t", { line: { units: 100 }, customer_id: "other" });
    await count(use(500), { ...use(500), customer_id: "other" });
    expect((await told()).map(({ id }) => id)).toEqual(["t:1:other:2032-11-01T00:00:00.000Z"]);
  });

  test.each([
    ["max", [50, 120, 90], ["120"]],
    ["latest", [150, 20, 130], ["150"]],
    ["unique", [1, 2, 3, 4, 3], ["3"]],
    ["count", [0, 0, 0, 0], ["3"]],
  ])("of a %s is crossed by what it comes to", async (aggregation, values, crossed) => {
    const property = aggregation === "unique" ? { value_property: null, distinct_by: "v" } : {};
    await open({ aggregation, ...(aggregation === "count" ? { value_property: null } : property) });
    await draw("t", { line: { units: aggregation === "max" || aggregation === "latest" ? 100 : 3 } });
    for (const v of values) {
      harness.now += 1_000;
      await count(use(v));
    }
    expect((await told()).map(({ value }) => value)).toEqual(crossed);
  });
});

describe("an interval", () => {
  test("that began with events ahead of the clock is crossed by the next, also after a sleep", async () => {
    await open({ default_interval: { count: 1, period: "days" } });
    await draw("t", { line: { units: 100 } });
    harness.now = START + DAY / 2 - 60_000;
    await count(use(10), use(150, { at: START + DAY / 2 + 60_000 }));
    expect(await told()).toEqual([]);
    harness.now = START + DAY / 2 + 120_000;
    await forgetMeter();
    await count(use(1));
    expect(await told()).toMatchObject([
      { value: "151", previous_value: "0", cycle: { start: "2032-11-02T00:00:00.000Z" } },
    ]);
  });

  test("of a zone that is half an hour off is one of UTC", async () => {
    await open({ default_interval: { count: 1, period: "days" } });
    await env.DB.prepare("UPDATE projects SET time_zone = 'Asia/Kolkata' WHERE id = ?").bind(project).run();
    await draw("t", { line: { units: 100 } });
    for (let day = 0; day < 3; day++) {
      await count(use(150));
      await forgetMeter();
      await harness.advance(DAY, DAY);
    }
    expect((await told()).map(({ id }) => id)).toEqual(
      ["01", "02", "03"].map((day) => `t:1:acme:2032-11-${day}T00:00:00.000Z`),
    );
  });

  test.each([
    ["min", "<=" as const, 10, [20, 8, 5], ["8"]],
    ["latest", "<=" as const, 10, [8], ["8"]],
    ["max", ">=" as const, 0, [-5, 3], ["3"]],
  ])(
    "in which nothing was measured is on no side of a line (%s)",
    async (aggregation, operator, units, values, crossed) => {
      await open({ aggregation, allow_negative: true });
      await draw("t", { operator, line: { units } });
      for (const v of values) {
        harness.now += 1_000;
        await count(use(v));
      }
      expect((await told()).map(({ value }) => value)).toEqual(crossed);
    },
  );
});

test("a line that was deleted is told of no more, also to who has no allowance", async () => {
  await open();
  await draw("t", { line: { units: 100 } });
  await count(use(60));
  await deleteThreshold(env.DB, { project_id: project, id: "t" });
  await harness.advance(5 * DAY, DAY);
  await count(use(60));
  expect(await told()).toEqual([]);
});

test("names of any length fit into messages and ids", async () => {
  await open();
  const customer = "客".repeat(128);
  for (let i = 0; i < 40; i++) await draw(`t${i}`, { line: { units: i + 1 }, name: "線".repeat(128) });
  await count({ ...use(100), customer_id: customer });
  const ids = (await told()).map(({ id }) => id);
  expect(ids).toHaveLength(40);
  expect(Math.max(...ids.map(({ length }) => length))).toBeLessThan(300);
});

describe("a line of a segment", () => {
  test("looks at what is in it alone", async () => {
    await open();
    await draw("eu", { line: { units: 100 }, segment: "EU" });
    await draw("us", { line: { units: 100 }, segment: "US" });
    await count(use(90), use(200, { r: "us" }), use(500, { r: "asia" }));
    expect(await told()).toMatchObject([{ threshold_id: "us", segment: "US", value: "200" }]);
    await count(use(10));
    expect((await told()).map(({ id }) => id).toSorted()).toEqual([
      "eu:1:acme/EU:2032-11-01T00:00:00.000Z",
      "us:1:acme/US:2032-11-01T00:00:00.000Z",
    ]);
  });
});

describe("a storm", () => {
  test("of 100,000 events around a line crosses it once", async () => {
    await open();
    await draw("t", { line: { units: 1_000 } });
    await count(use(999));
    for (let batch = 0; batch < 50; batch++) {
      const flapping = Array.from({ length: 2_000 }, (_, i) => use(i % 2 === 0 ? 1 : -1));
      harness.send(project, flapping);
      await harness.deliver("tidemark-events");
    }
    await harness.advance(30_000, 5_000);
    expect(await told()).toMatchObject([{ value: "1000" }]);
  });

  test("that leaps over several lines crosses each, in order, and with every failure on the way once", async () => {
    await open();
    for (const units of [300, 100, 200]) await draw(`t${units}`, { line: { units } });
    let seed = 7;
    const random = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
    let healthy = false;
    harness.faults = {
      before: () => {
        if (!healthy && random() < 0.2) throw new Error("fault");
      },
      afterApply: () => {
        if (!healthy && random() < 0.3) throw new Error("lost");
      },
      losesAcks: () => !healthy && random() < 0.3,
    };
    const sent = [use(50), use(500), use(-480), use(300)];
    for (let turn = 0; turn < 4; turn++) {
      harness.send(project, sent);
      await harness.advance(90_000, 10_000);
    }
    healthy = true;
    harness.send(project, sent);
    await harness.advance(1_200_000, 30_000);
    const ids = (await told()).map(({ threshold_id }) => threshold_id);
    expect(ids.toSorted()).toEqual(["t100", "t200", "t300"]);
    const notified = harness
      .waiting("tidemark-notifications")
      .flatMap((body) => (JSON.parse(body) as NotifyMessage).notice_ids);
    expect([...new Set(notified)].toSorted()).toEqual((await told()).map(({ id }) => id).toSorted());
  });

  test("over the end of an interval crosses it once in each", async () => {
    await open();
    await draw("t", { line: { units: 10 } });
    for (let month = 0; month < 3; month++) {
      await count(use(20), use(-15), use(20));
      await harness.advance(31 * DAY, 31 * DAY);
    }
    expect((await told()).map(({ id }) => id)).toEqual(
      ["2032-11", "2032-12", "2033-01"].map((month) => `t:1:acme:${month}-01T00:00:00.000Z`),
    );
  });

  test("crosses a line that was moved once more, by its new version", async () => {
    await open();
    await draw("t", { line: { units: 100 } });
    await count(use(150));
    const stored = await env.DB.prepare("SELECT * FROM thresholds WHERE project_id = ?").bind(project).first();
    const definition = toExactJson({ name: null, operator: ">=", line: { units: 200 } });
    await updateThreshold(env.DB, stored as never, { version: 2, definition, updated_at: harness.now });
    await count(use(49));
    await count(use(1), use(-1), use(1));
    expect((await told()).map(({ id }) => id.split(":").slice(0, 2).join(":"))).toEqual(["t:1", "t:2"]);
  });
});

describe("with an allowance", () => {
  /** Gives the customer 100 a month. */
  async function allow(base = 100, anchor?: number, period: "months" | "years" = "months"): Promise<void> {
    const [metered] = await readMetered(env.DB, project, ["m"], { customer_id: "acme", now: harness.now });
    if (metered === undefined) throw new Error("no metric");
    const { metric } = metered;
    const schedule = {
      interval: { count: 1, period },
      anchor: anchor ?? Date.UTC(2032, 0, 1),
      time_zone: "UTC",
    } as const;
    const terms = { base, schedule, enforcement: "soft" } as const;
    const request = defineRequest({ project_id: project, customer_id: "acme", metric, terms });
    const meter = env.METERS.get(env.METERS.idFromName(meterName(project, "acme")));
    expect((await meter.define({ ...request, metered })).kind).toBe("done");
  }

  async function near(): Promise<readonly string[]> {
    return listNearLimits(env.DB, { project_id: project, metric_id: "m" }, { now: harness.now, limit: 10 });
  }

  test("who comes to four fifths of it is listed, until the cycle ends", async () => {
    await open();
    await allow();
    await count(use(79));
    expect(await near()).toEqual([]);
    await count(use(1));
    expect(await near()).toEqual(["acme"]);
    await harness.advance(30 * DAY, 30 * DAY);
    expect(await near()).toEqual([]);
    await count(use(85));
    expect(await near()).toEqual(["acme"]);
  });

  test("who comes to it because the limit is lowered is listed as well", async () => {
    await open();
    await allow();
    await count(use(50));
    await allow(60);
    await harness.advance(2_000);
    expect(await near()).toEqual(["acme"]);
  });

  test("a line in per cent is crossed by events and follows the limit; one of a segment has its own usage", async () => {
    await open();
    await allow();
    await draw("all", { line: { percent: 50 } });
    await draw("us", { line: { percent: 50 }, segment: "US" });
    await count(use(40), use(40, { r: "us" }));
    await allow(70);
    await harness.advance(2_000);
    expect((await told()).map(({ threshold_id, value }) => [threshold_id, value])).toEqual([
      ["all", "80"],
      ["us", "40"],
    ]);
  });

  test("a line is crossed by what the balance has, and not by what was used before it", async () => {
    await open();
    await draw("pct", { line: { percent: 80 } });
    await draw("units", { line: { units: 1_000 } });
    await draw("us", { line: { units: 500 }, segment: "US" });
    await count(use(900), use(300, { r: "us" }));
    expect((await told()).map(({ threshold_id, value }) => [threshold_id, value])).toEqual([["units", "1200"]]);
    await harness.advance(40 * 60_000, 40 * 60_000);
    await allow(1_000, harness.now);
    await count(use(1), use(250, { r: "us" }));
    expect(await told()).toHaveLength(1);
    await forgetMeter();
    await count(use(250, { r: "us" }), use(310));
    expect((await told()).slice(1).map(({ threshold_id, value }) => [threshold_id, value])).toEqual([
      ["pct", "811"],
      ["us", "500"],
    ]);
    await count(use(300));
    expect((await told()).slice(3).map(({ threshold_id, value }) => [threshold_id, value])).toEqual([
      ["units", "1111"],
    ]);
  });

  test("a longer cycle crosses nothing by what was used in it before, and its own crossing is told", async () => {
    await open();
    await draw("all", { line: { units: 1_000 } });
    await draw("us", { line: { units: 1_000 }, segment: "US" });
    const us = { r: "us" };
    await count(use(600, { ...us, at: START - 7 * DAY }), use(600, us));
    await allow(5_000, undefined, "years");
    await harness.advance(2_000);
    expect(await told()).toEqual([]);
    await count(use(1_000, { r: "asia" }));
    expect((await told()).map(({ threshold_id, value }) => [threshold_id, value])).toEqual([["all", "1000"]]);
  });

  test("events of several segments are looked at one after the other", async () => {
    await open();
    await draw("t", { line: { units: 50 }, repeat: "per_crossing" });
    await allow();
    await count(use(60), use(-60, { r: "us" }), use(60));
    const crossings = await told();
    expect(crossings.map(({ value }) => value)).toEqual(["60", "60"]);
    expect(crossings).toMatchObject([{ previous_value: "0" }, { previous_value: "0" }]);
  });

  test("who has nothing to use is listed as soon as something is used", async () => {
    await open();
    await allow(0);
    await count(use(5));
    expect(await near()).toEqual(["acme"]);
  });

  test("a line that was drawn for all customers is known when the next event is counted", async () => {
    await open();
    await allow();
    await count(use(40));
    await draw("t", { line: { units: 90 } });
    await count(use(50));
    expect(await told()).toMatchObject([{ threshold_id: "t", value: "90", allowance: "100" }]);
  });
});

test("a line that wants to be told of each crossing is, once usage has come far enough back", async () => {
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.integer({ min: -30, max: 30 }), { minLength: 1, maxLength: 5 }), { maxLength: 8 }),
      fc.integer({ min: 0, max: 25 }),
      async (batches, hysteresis) => {
        runs++;
        await open();
        await draw("t", { line: { units: 50 }, repeat: "per_crossing", hysteresis });
        let used = 0;
        let armed = true;
        const expected: string[] = [];
        for (const batch of batches) {
          for (const v of batch) {
            const before = used;
            used += v;
            if (used >= 50 && before < 50) {
              if (armed) expected.push(String(used));
              armed = false;
            } else if (hysteresis === 0 ? used < 50 : used <= 50 - hysteresis) armed = true;
          }
          harness.send(
            project,
            batch.map((v) => use(v)),
          );
          await harness.deliver("tidemark-events");
        }
        await harness.advance(2_000);
        const values = (await told()).toSorted((a, b) => a.id.length - b.id.length || (a.id < b.id ? -1 : 1));
        expect(values.map(({ value }) => value)).toEqual(expected);
      },
    ),
    { numRuns: 40, seed: 11 },
  );
  expect(runs).toBe(40);
});
