import { env } from "cloudflare:workers";
import type { UsageEvent } from "@tidemark/core";
import { insertMetric, metricOf } from "@tidemark/testing/metric";
import { PipelineHarness } from "@tidemark/testing/pipeline-harness";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { queue } from "./index.ts";
import { sweep } from "./sweep.ts";

// Ahead of the real clock, so that no alarm rings but those that the harness rings.
const START = Date.UTC(2031, 10, 20, 12);
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let project = "";
let projects = 0;
let harness: PipelineHarness;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: START });
  vi.spyOn(console, "error").mockImplementation(() => {});
  await open();
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** A project of its own, with a count by status and a sum of bytes. */
async function open(): Promise<void> {
  project = `project-${++projects}`;
  harness = new PipelineHarness(queue, START, (now) => vi.setSystemTime(now));
  await env.DB.batch([
    env.DB.prepare("DELETE FROM watches"),
    env.DB.prepare("INSERT INTO projects VALUES (?, 'p', 'UTC', 1, 0)").bind(project),
    ...insertMetric(env.DB, project, metricOf({ id: "calls", group_by: ["status"] })),
    ...insertMetric(
      env.DB,
      project,
      metricOf({ id: "bytes", aggregation: "sum", value_property: "bytes", decimal_places: 2 }),
    ),
  ]);
}

function call(id: string, change: Partial<UsageEvent> & { readonly at?: number } = {}): UsageEvent {
  const { at = START, ...rest } = change;
  return { id, event: "call", customer_id: "acme", timestamp: at, properties: { status: 200, bytes: 0.25 }, ...rest };
}

/** What D1 says: metric, customer, day, value, and the groups' values. */
async function inD1(): Promise<Record<string, string>> {
  const { results } = await env.DB.prepare(
    "SELECT metric_id, customer_id, day, CAST(value AS TEXT) AS value, groups FROM usage_days WHERE project_id = ?",
  )
    .bind(project)
    .all<{ metric_id: string; customer_id: string; day: number; value: string; groups: string }>();
  const totals: Record<string, string> = {};
  for (const { metric_id, customer_id, day, value, groups } of results) {
    totals[`${metric_id} ${customer_id} ${day}`] = value;
    for (const group of JSON.parse(groups) as { labels: string[]; value: string }[]) {
      if (group.labels.length > 0) totals[`${metric_id} ${customer_id} ${day} ${group.labels.join(" ")}`] = group.value;
    }
  }
  return totals;
}

/** The same from the events alone: the first of each id counts. */
function oracle(events: readonly UsageEvent[]): Record<string, string> {
  const seen = new Set<string>();
  const totals: Record<string, string> = {};
  const add = (key: string, value: number): void => {
    totals[key] = String(Number(totals[key] ?? 0) + value);
  };
  for (const { id, customer_id, timestamp, properties } of events) {
    const key = `${customer_id}/${id}`;
    if (seen.has(key)) continue;
    seen.add(key);
    const day = Math.floor(Number(timestamp) / DAY);
    add(`calls ${customer_id} ${day}`, 1);
    add(`calls ${customer_id} ${day} ${String(properties?.["status"])}`, 1);
    add(`bytes ${customer_id} ${day}`, Math.round(Number(properties?.["bytes"]) * 100));
  }
  return totals;
}

async function quarantined(): Promise<{ reason: string; body: string }[]> {
  const { results } = await env.DB.prepare("SELECT reason, body FROM quarantine WHERE project_id = ? ORDER BY reason")
    .bind(project)
    .all<{ reason: string; body: string }>();
  return results;
}

test("events reach D1 within seconds of a customer's first, each once", async () => {
  const events = Array.from({ length: 20 }, (_, i) => call(`e${i}`, { customer_id: `c${i % 3}` }));
  harness.send(project, events);
  harness.send(project, events.slice(5));
  await harness.advance(4_000);
  expect(await inD1()).toEqual(oracle(events));
  const { results } = await env.DB.prepare(
    "SELECT customer_id, first_seen_at FROM customers WHERE project_id = ? ORDER BY customer_id",
  )
    .bind(project)
    .all();
  expect(results).toEqual(["c0", "c1", "c2"].map((customer_id) => ({ customer_id, first_seen_at: START })));
});

test("a delivery whose acks are lost comes again and changes nothing", async () => {
  const events = Array.from({ length: 50 }, (_, i) => call(`e${i}`, { customer_id: `c${i % 4}` }));
  let lost = 3;
  harness.faults = { losesAcks: () => lost-- > 0 };
  harness.send(project, events);
  await harness.advance(60_000);
  expect(harness.backlog).toBe(0);
  expect(await inD1()).toEqual(oracle(events));
});

test("a consumer that dies between a meter's commit and the ack counts nothing twice", async () => {
  const events = Array.from({ length: 30 }, (_, i) => call(`e${i}`, { customer_id: `c${i % 5}` }));
  let deaths = 7;
  harness.faults = {
    afterApply: () => {
      if (deaths-- > 0) throw new Error("the answer was lost");
    },
  };
  harness.send(project, events.slice(0, 15));
  harness.send(project, events.slice(15));
  await harness.advance(5 * 60_000);
  expect(harness.backlog).toBe(0);
  expect(await inD1()).toEqual(oracle(events));
});

test("an hour without D1 loses nothing, and a quiet customer's usage arrives afterwards", async () => {
  const before = [call("a"), call("b", { customer_id: "other" })];
  harness.send(project, before);
  // The meters have counted; now D1 goes away, with their rows under way and more events to come.
  await harness.deliver("tidemark-events");
  harness.faults = {
    before: (step) => {
      if (step === "catalog" || step === "d1") throw new Error("D1 is overloaded");
    },
  };
  const during = [call("c"), call("d", { properties: { status: 500, bytes: 10 } })];
  harness.send(project, during);
  await harness.advance(HOUR, 30_000);
  expect(await inD1()).toEqual({});
  harness.faults = {};
  await harness.advance(15 * 60_000, 10_000);
  expect(harness.backlog).toBe(0);
  expect(await inD1()).toEqual(oracle([...before, ...during]));
});

test("an archive that is away holds back the count: what a meter has counted is in the archive", async () => {
  harness.faults = {
    before: (step) => {
      if (step === "archive") throw new Error("R2 is away");
    },
  };
  harness.send(project, [call("a")]);
  await harness.advance(30_000);
  expect(harness.backlog).toBe(1);
  expect(await inD1()).toEqual({});
  harness.faults = {};
  await harness.advance(60_000);
  expect(harness.backlog).toBe(0);
  expect(await inD1()).toEqual(oracle([call("a")]));
  expect((await env.ARCHIVE.list({ prefix: `events/${project}/` })).objects).toHaveLength(1);
});

test("the archive is NDJSON that any tool reads, and the same batch writes the same bytes", async () => {
  const events = [call("a"), call("b", { properties: { status: 404, bytes: 1, path: "é\n" } })];
  let lost = 1;
  harness.faults = { losesAcks: () => lost-- > 0 };
  harness.send(project, events);
  await harness.deliver("tidemark-events");
  const [first] = (await env.ARCHIVE.list({ prefix: `events/${project}/` })).objects;
  await harness.deliver("tidemark-events");
  const { objects } = await env.ARCHIVE.list({ prefix: `events/${project}/` });
  expect(objects.map(({ key, etag }) => [key, etag])).toEqual([[first?.key, first?.etag]]);
  const stored = await env.ARCHIVE.get(first?.key ?? "");
  const text = await new Response(stored?.body.pipeThrough(new DecompressionStream("gzip"))).text();
  expect(
    text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown),
  ).toEqual([{ v: 1, project_id: project, received_at: START, events }]);
});

test("a dead alarm is found by the sweeper, and the totals arrive", async () => {
  harness.send(project, [call("a"), call("b", { customer_id: "other" })]);
  await harness.deliver("tidemark-events");
  await harness.killAlarm(project, "acme");
  await harness.advance(10 * 60_000, 10_000);
  expect(Object.keys(await inD1()).filter((key) => key.includes("acme"))).toEqual([]);
  expect(await sweep(harness.env as never, harness.now)).toEqual({ looked: 1, woken: 1 });
  await harness.advance(5_000);
  expect(await inD1()).toEqual(oracle([call("a"), call("b", { customer_id: "other" })]));
  expect(await sweep(harness.env as never, harness.now)).toEqual({ looked: 0, woken: 0 });
});

test("a dead alarm does not outlive the customer's next event", async () => {
  harness.send(project, [call("a")]);
  await harness.deliver("tidemark-events");
  await harness.killAlarm(project, "acme");
  await harness.advance(2 * 60_000, 10_000);
  harness.send(project, [call("b")]);
  await harness.advance(60_000);
  expect(await inD1()).toEqual(oracle([call("a"), call("b")]));
});

test("one meter that fails holds back its own messages only", async () => {
  let failing = true;
  harness.faults = {
    afterApply: (customer) => {
      if (failing && customer === "ill") throw new Error("overloaded");
    },
  };
  harness.send(project, [call("a", { customer_id: "well" })]);
  harness.send(project, [call("b", { customer_id: "well" }), call("c", { customer_id: "ill" })]);
  await harness.deliver("tidemark-events");
  expect(harness.backlog).toBeGreaterThan(0);
  failing = false;
  await harness.advance(60_000);
  expect(await inD1()).toEqual(
    oracle([call("a", { customer_id: "well" }), call("b", { customer_id: "well" }), call("c", { customer_id: "ill" })]),
  );
});

test("what the queue gives up on is kept, and replaying it counts it", async () => {
  harness.faults = {
    before: (step) => {
      if (step === "apply") throw new Error("a bug");
    },
  };
  harness.send(project, [call("a")]);
  await harness.advance(24 * HOUR, 10 * 60_000);
  expect(harness.backlog).toBe(0);
  const [entry] = await quarantined();
  expect(entry?.reason).toBe("dead_letter");
  harness.faults = {};
  harness.push("tidemark-events", entry?.body ?? "");
  await harness.advance(10_000);
  expect(await inD1()).toEqual(oracle([call("a")]));
});

test("a message that is not one of ours is kept aside, and its batch mates are counted", async () => {
  harness.push("tidemark-events", "{nonsense");
  harness.push("tidemark-events", JSON.stringify({ v: 2, project_id: project, events: [] }));
  harness.send(project, [call("a")]);
  await harness.advance(10_000);
  expect(await inD1()).toEqual(oracle([call("a")]));
  const { results } = await env.DB.prepare("SELECT reason FROM quarantine WHERE project_id = ''").all();
  expect(results).toEqual([{ reason: "unreadable" }, { reason: "unreadable" }]);
});

test("an id that comes again with other content is a listed conflict, never a replacement", async () => {
  const other = call("a", { properties: { status: 500, bytes: 9 } });
  harness.send(project, [call("a"), other]);
  harness.send(project, [other]);
  await harness.advance(10_000);
  expect(await inD1()).toEqual(oracle([call("a")]));
  const entries = await quarantined();
  expect(entries.map((entry) => entry.reason)).toEqual(["conflict"]);
  expect(JSON.parse(entries[0]?.body ?? "")).toMatchObject({ project_id: project, events: [other] });
});

test("a value that is missing or not a number is counted as rejected, never as 0", async () => {
  harness.send(project, [
    call("a"),
    call("b", { properties: { status: 200 } }),
    call("c", { properties: { status: 200, bytes: "1,000" } }),
  ]);
  await harness.advance(10_000);
  const row = await env.DB.prepare(
    "SELECT value, events, rejected FROM usage_days WHERE project_id = ? AND metric_id = 'bytes'",
  )
    .bind(project)
    .first();
  expect(row).toEqual({ value: 25, events: 1, rejected: 2 });
});

test("a replay is dropped while the meter remembers, and quarantined when it no longer does: never counted", async () => {
  const events = Array.from({ length: 1_200 }, (_, i) => call(`e${i}`));
  harness.send(project, events);
  await harness.advance(60_000);
  const replay = async (day: number): Promise<string[]> => {
    harness.now = START + day * DAY;
    // A fresh event wakes the meter, whose alarm forgets what has aged out.
    harness.send(project, [call(`later-${day}`, { at: harness.now })]);
    await harness.advance(30_000);
    harness.send(project, events, START);
    await harness.advance(60_000);
    expect((await inD1())[`calls acme ${Math.floor(START / DAY)}`]).toBe("1200");
    return (await quarantined()).map((entry) => entry.reason);
  };
  expect(await replay(42)).toEqual([]);
  expect(await replay(43)).toEqual(events.map(() => "forgotten"));
  expect(await replay(200)).toEqual(events.map(() => "forgotten"));
});

test("any stream, any batching, any redelivery and any of the faults: the oracle's totals", async () => {
  const event = fc.record({
    id: fc.integer({ min: 0, max: 40 }),
    customer: fc.integer({ min: 0, max: 3 }),
    day: fc.integer({ min: -2, max: 0 }),
  });
  const plan = fc.record({
    messages: fc.array(fc.array(event, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 12 }),
    faults: fc.infiniteStream(fc.integer({ min: 0, max: 99 })),
  });
  await fc.assert(
    fc.asyncProperty(plan, async ({ messages, faults }) => {
      await open();
      // An id's content depends on nothing but the id, as in a client that sends again.
      const toEvent = ({ id, customer }: { id: number; customer: number }): UsageEvent =>
        call(`e${id}`, {
          customer_id: `c${customer}`,
          at: START - (id % 3) * DAY,
          properties: { status: id % 2 === 0 ? 200 : 500, bytes: id / 4 },
        });
      const sent = messages.map((message) => message.map(toEvent));
      const strike = (percent: number): boolean => Number(faults.next().value) < percent;
      harness.faults = {
        before: (step) => {
          if (strike(8)) throw new Error(`${step} failed`);
        },
        afterApply: () => {
          if (strike(15)) throw new Error("the answer was lost");
        },
        losesAcks: () => strike(15),
      };
      for (const message of sent) {
        harness.send(project, message);
        if (strike(40)) await harness.advance(3_000);
      }
      await harness.advance(60_000, 5_000);
      harness.faults = {};
      await harness.advance(HOUR, 60_000);
      await sweep(harness.env as never, harness.now);
      await harness.advance(30 * 60_000, 60_000);
      expect(harness.backlog).toBe(0);
      expect(await inD1()).toEqual(oracle(sent.flat()));
    }),
    { numRuns: 25 },
  );
}, 120_000);
