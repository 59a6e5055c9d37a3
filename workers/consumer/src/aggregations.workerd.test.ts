import { env } from "cloudflare:workers";
import { meterName } from "@tidemark/contract";
import type { Json, Metric, UsageDay, UsageEvent } from "@tidemark/core";
import { insertMetric, metricOf } from "@tidemark/testing/metric";
import { type OracleDay, oracleDays, type OracleRule } from "@tidemark/testing/oracle";
import { PipelineHarness } from "@tidemark/testing/pipeline-harness";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { queue } from "./index.ts";

// Ahead of the real clock, so that no alarm rings but those that the harness rings.
const START = Date.UTC(2031, 10, 20, 12);
const HOUR = 3_600_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: START });
});
afterEach(() => {
  vi.useRealTimers();
});

const EU = { and: [{ property: "region", op: "starts_with", value: "eu" }] } as const;
const PAID = { or: [{ property: "plan", op: "in", value: ["pro", "enterprise"] }] } as const;

/** A metric and what it means, said twice. */
interface Case {
  readonly metric: Metric;
  readonly rule: OracleRule;
}

function makeCase(aggregation: Metric["aggregation"], decimals: number, rules: Partial<Metric> = {}): Case {
  const isCount = aggregation === "count";
  const isUnique = aggregation === "unique";
  const text = (value: Json | undefined): string => (value === undefined ? "" : String(value));
  return {
    metric: metricOf({
      id: `${aggregation}${decimals}`,
      aggregation,
      decimal_places: decimals,
      value_property: isCount || isUnique ? null : "n",
      distinct_by: isUnique ? "user.id" : null,
      filters: { and: [{ property: "status", op: "equals", value: 200 }] },
      group_by: ["region"],
      segments: [
        { name: "EU", filters: EU },
        { name: "Paid", filters: PAID },
      ],
      ...rules,
    }),
    rule: {
      aggregation,
      decimals,
      matches: ({ event, properties }) => event === "call" && String(properties?.["status"]) === "200",
      value: ({ properties }) =>
        isUnique ? (properties?.["user"] as { readonly id?: Json } | undefined)?.id : properties?.["n"],
      labels: ({ properties }) => [text(properties?.["region"])],
      segments: ({ properties }) =>
        (text(properties?.["region"]).startsWith("eu") ? 1 : 0) +
        (["pro", "enterprise"].includes(text(properties?.["plan"])) ? 2 : 0),
    },
  };
}

const CASES: readonly Case[] = [
  makeCase("count", 0),
  makeCase("sum", 0),
  makeCase("sum", 9),
  makeCase("max", 2),
  makeCase("min", 2),
  makeCase("latest", 1),
  makeCase("unique", 0),
];

const anyValue = fc.oneof(
  fc.constantFrom<Json>(
    0.1,
    0.2,
    1e-9,
    "0.3",
    "1e-9",
    -0.1,
    3,
    -5,
    2.5,
    "7",
    "4611686018427387904",
    "-4611686018427387905",
  ),
  fc.constantFrom<Json>("1,000", true, "", [], { a: 1 }, "NaN", "9223372036854775808", "12345678901234567890123", null),
  fc.bigInt(2n ** 62n - 3n, 2n ** 62n + 3n).map(String),
  fc.integer({ min: -10_000, max: 10_000 }),
);

interface AnyEvent {
  readonly at: number;
  readonly status: Json;
  readonly region: string | undefined;
  readonly plan: string;
  readonly value: Json;
  readonly user: Json;
}

const anyEvent: fc.Arbitrary<AnyEvent> = fc.record({
  at: fc.integer({ min: 0, max: 120 }),
  status: fc.constantFrom<Json>(200, "200", 404, "ok"),
  region: fc.constantFrom("eu-west", "eu-central", "us", undefined),
  plan: fc.constantFrom("free", "pro", "enterprise"),
  value: anyValue,
  user: fc.constantFrom<Json>("a", "b", "c", 5, "5", "", null, false),
});

function toEvent(any: AnyEvent, index: number): UsageEvent {
  const { at, status, region, plan, value, user } = any;
  return {
    id: `e${index}`,
    event: "call",
    customer_id: "acme",
    // Three days back, an instant of its own for each.
    timestamp: START - 70 * HOUR + at * (HOUR / 2) + index,
    properties: {
      status,
      plan,
      n: value,
      user: { id: user },
      ...(region === undefined ? {} : { region }),
    },
  };
}

let projects = 0;

async function open(): Promise<{ readonly project: string; readonly harness: PipelineHarness }> {
  const project = `aggregations-${++projects}`;
  await env.DB.batch([
    env.DB.prepare("INSERT INTO projects VALUES (?, 'p', 'UTC', 1, 0)").bind(project),
    ...CASES.flatMap(({ metric }) => insertMetric(env.DB, project, metric)),
  ]);
  return { project, harness: new PipelineHarness(queue, START) };
}

async function inMeter(project: string, metricId: string): Promise<Readonly<Record<number, OracleDay>>> {
  const address = { project_id: project, customer_id: "acme" };
  const meter = env.METERS.get(env.METERS.idFromName(meterName(project, "acme")));
  const { days } = await meter.read({ ...address, metric_ids: [metricId], from_day: 0, to_day: 40_000 });
  return Object.fromEntries((days as readonly UsageDay[]).map((day) => [day.day, toOracleDay(day)]));
}

function toOracleDay({ value, events, rejected, groups }: UsageDay): OracleDay {
  const counted = groups.filter((group) => group.events > 0);
  return {
    value,
    events,
    rejected,
    groups: Object.fromEntries(
      counted.map((group) => [`${JSON.stringify(group.labels)}|${group.segments ?? 0}`, group.value]),
    ),
  };
}

test("any stream, in any order, batching and redelivery, comes to the oracle's result for every aggregation", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyEvent, { minLength: 1, maxLength: 40 }),
      fc.array(fc.array(fc.nat(39), { minLength: 1, maxLength: 30 }), { maxLength: 6 }),
      async (stream, deliveries) => {
        const events = stream.map(toEvent);
        const { project, harness } = await open();
        for (const delivery of deliveries) {
          const part = delivery.flatMap((index) => events[index] ?? []);
          if (part.length === 0) continue;
          harness.send(project, part);
          await harness.deliver("tidemark-events");
        }
        // Whatever was not among them, and all of it again, backwards.
        harness.send(project, events.toReversed());
        await harness.deliver("tidemark-events");
        for (const { metric, rule } of CASES)
          expect(await inMeter(project, metric.id), metric.id).toEqual(oracleDays(rule, events));
      },
    ),
    { numRuns: 100 },
  );
});

test("max(10, 20, 30) is 30 in every order, and what a day rejected says why", async () => {
  const { project, harness } = await open();
  const at = (index: number, n: Json): UsageEvent =>
    toEvent({ at: 0, status: 200, region: "us", plan: "free", value: n, user: "a" }, index);
  harness.send(project, [at(0, 20), at(1, 30), at(2, 10), at(3, "1,000"), at(4, "0.001")]);
  await harness.deliver("tidemark-events");
  const day = Object.values(await inMeter(project, "max2"))[0];
  expect(day).toMatchObject({ value: "3000", events: 3, rejected: 2 });
  const meter = env.METERS.get(env.METERS.idFromName(meterName(project, "acme")));
  const { days } = await meter.read({
    project_id: project,
    customer_id: "acme",
    metric_ids: ["max2"],
    from_day: 0,
    to_day: 40_000,
  });
  expect(days[0]?.rejections).toEqual([
    { code: "not_a_number", events: 1, example: { id: "e3", at: Number(at(3, 0).timestamp), found: "1,000" } },
    { code: "too_precise", events: 1, example: { id: "e4", at: Number(at(4, 0).timestamp), found: "0.001" } },
  ]);
});

test("the meter keeps the latest events with what their metrics expose, each once", async () => {
  const project = `aggregations-${++projects}`;
  await env.DB.batch([
    env.DB.prepare("INSERT INTO projects VALUES (?, 'p', 'UTC', 1, 0)").bind(project),
    ...insertMetric(env.DB, project, metricOf({ id: "a", exposed_event_keys: ["region", "user.id"] })),
    ...insertMetric(
      env.DB,
      project,
      metricOf({ id: "b", aggregation: "sum", value_property: "n", exposed_event_keys: ["n"] }),
    ),
  ]);
  const harness = new PipelineHarness(queue, START);
  const events = Array.from({ length: 30 }, (_, index) =>
    toEvent({ at: 0, status: 200, region: "us", plan: "free", value: index === 29 ? "x" : 1, user: "u" }, index),
  );
  harness.send(project, events);
  await harness.deliver("tidemark-events");
  harness.send(project, events);
  await harness.deliver("tidemark-events");
  const meter = env.METERS.get(env.METERS.idFromName(meterName(project, "acme")));
  const recent = await meter.recent({ project_id: project, customer_id: "acme" });
  expect(recent.map(({ id }) => id)).toEqual(Array.from({ length: 20 }, (_, index) => `e${29 - index}`));
  expect(recent[0]).toEqual({
    id: "e29",
    event: "call",
    at: Number(events[29]?.timestamp),
    counted: ["a"],
    rejected: ["b"],
    properties: { region: "us", "user.id": "u", n: "x" },
  });
});
