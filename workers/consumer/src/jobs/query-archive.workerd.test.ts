import { env } from "cloudflare:workers";
import {
  type ArchiveQuery,
  EVENT_AGE_MS_MAX,
  EVENT_AHEAD_MS_MAX,
  FIRST_STEP,
  type JobProgress,
  MEMORY_DAYS,
} from "@tidemark/contract";
import { ARCHIVE_GROUPS_MAX, ARCHIVE_OBJECTS_MAX } from "@tidemark/contract/query-limits";
import { ArchiveQuestionSchema, type ArchiveResult } from "@tidemark/contract/query-schema";
import type { Json, UsageEvent } from "@tidemark/core";
import { findJob, insertQuery, type Job, listJobs } from "@tidemark/db/jobs";
import { PipelineHarness } from "@tidemark/testing/pipeline-harness";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { queue } from "../index.ts";

const START = Date.UTC(2031, 10, 20, 12);
const DAY = 86_400_000;

let projects = 0;
let project = "";
let harness: PipelineHarness;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: START });
  vi.spyOn(console, "error").mockImplementation(() => {});
  project = `query-${++projects}`;
  harness = new PipelineHarness(queue, START);
  await env.DB.prepare("INSERT INTO projects VALUES (?, 'p', 'UTC', 1, 0)").bind(project).run();
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

let jobs = 0;

async function ask(
  question: object,
  range: { from?: number; to?: number } = {},
  progress: JobProgress = FIRST_STEP,
): Promise<Job> {
  const { from = START - 10 * DAY, to = START + DAY } = range;
  const read = ArchiveQuestionSchema.parse({ source: "archive", ...question });
  const query: ArchiveQuery = { question: read, from, to, time_zone: read.tz ?? "UTC" };
  const job: Job = {
    project_id: project,
    id: `query-job-${++jobs}`,
    kind: "query",
    state: "waiting",
    params: {
      metric: null,
      customer_id: null,
      from_day: Math.floor(from / DAY),
      to_day: Math.floor(to / DAY),
      query,
    },
    progress,
    created_at: harness.now,
    updated_at: harness.now,
    finished_at: null,
  };
  expect(await insertQuery(env.DB, job, 3)).toBe(true);
  harness.push("tidemark-jobs", JSON.stringify({ project_id: project, job_id: job.id }));
  for (let round = 0; round < 100; round++) {
    await harness.deliver("tidemark-jobs");
    const found = await findJob(env.DB, project, job.id);
    if (found?.state === "done" || found?.state === "failed") return found;
    harness.now += 20_000;
    vi.setSystemTime(harness.now);
  }
  throw new Error("The job does not end.");
}

async function resultOf(question: object, range: { from?: number; to?: number } = {}): Promise<ArchiveResult> {
  const job = await ask(question, range);
  const result = job.progress.query?.result ?? null;
  if (result === null) throw new Error(JSON.stringify(job));
  return result;
}

/** Sends events as queue messages of a few, so that the archive has several objects. */
async function archive(events: readonly UsageEvent[], size = 7): Promise<void> {
  for (let at = 0; at < events.length; at += size) {
    harness.send(project, events.slice(at, at + size));
    await harness.deliver("tidemark-events");
  }
}

/** Writes an object whose events were received at a time. */
async function putObject(receivedAt: number, events: readonly UsageEvent[]): Promise<void> {
  const line = JSON.stringify({ v: 1, project_id: project, received_at: receivedAt, events });
  const bytes = await new Response(new Blob([line]).stream().pipeThrough(new CompressionStream("gzip"))).arrayBuffer();
  const day = new Date(receivedAt).toISOString().slice(0, 10);
  const time = String(receivedAt % DAY).padStart(8, "0");
  await env.ARCHIVE.put(`events/${project}/${day}/${time}-x.ndjson.gz`, bytes);
}

const anyEvent = fc.record({
  customer_id: fc.constantFrom("acme", "globex", "ü"),
  event: fc.constantFrom("call", "call", "login"),
  at: fc.integer({ min: -20 * 24, max: 11 }),
  properties: fc.record(
    {
      status: fc.constantFrom<Json>(200, "200", 500, 503, null),
      latency: fc.constantFrom<Json>(1, 2.5, "0.125", "12345678901234567890", "x", -3, 0.0000000001),
      endpoint: fc.constantFrom<Json>("/a", "/b", true, 7),
      user: fc.record({ id: fc.constantFrom<Json>("u1", "u2", 3, "3", "") }),
    },
    { requiredKeys: [] },
  ),
});

/** A decimal in units of 10^-9 by moving its point; `undefined` for what is none, or does not fit. */
function units(value: Json | undefined): bigint | undefined {
  const match = /^(-?)(\d+)(?:\.(\d{1,9}))?$/.exec(
    typeof value === "number" || typeof value === "string" ? String(value) : "",
  );
  if (match === null || String(value).length > 18) return undefined;
  const [, sign, whole = "", fraction = ""] = match;
  return BigInt(`${sign ?? ""}${whole}${fraction.padEnd(9, "0")}`);
}

function decimal(value: bigint | undefined): string | null {
  if (value === undefined) return null;
  const text = (value < 0n ? -value : value).toString().padStart(10, "0");
  return `${value < 0n ? "-" : ""}${text.slice(0, -9)}.${text.slice(-9)}`.replace(/\.?0+$/, "");
}

describe("a question over the archive", () => {
  test("is answered as one would by hand, whatever was delivered again", async () => {
    const events = fc
      .sample(anyEvent, { numRuns: 160, seed: 3 })
      .map(({ at, ...event }, index): UsageEvent => ({ ...event, id: `e${index}`, timestamp: START + at * 3_600_000 }));
    let lost = 0;
    // Every third delivery loses its acks, so that its messages come again, in another batch.
    harness.faults = { losesAcks: () => ++lost % 3 === 0 };
    await archive(events);
    harness.faults = {};
    // A client that was not sure sends some again.
    await archive(events.filter((_, index) => index % 4 === 0));
    const { keys } = await env.ARCHIVE.list({ prefix: `events/${project}/` }).then(({ objects }) => ({
      keys: objects,
    }));
    expect(keys.length).toBeGreaterThan(20);

    const result = await resultOf({
      event_matchers: [{ event: "call" }],
      filters: {
        or: [
          { property: "status", op: "gte", value: 500 },
          { property: "status", op: "equals", value: 200 },
        ],
      },
      measures: [
        { of: "count" },
        { of: "sum", property: "latency" },
        { of: "min", property: "latency" },
        { of: "max", property: "latency" },
        { of: "unique", property: "user.id" },
      ],
      group_by: ["customer", "endpoint", "day"],
      tz: "Asia/Kolkata",
    });

    const from = START - 10 * DAY;
    const wanted = events.filter(
      ({ event, properties, timestamp }) =>
        event === "call" && Number(timestamp) >= from && [200, 500, 503].includes(Number(properties?.["status"] ?? 0)),
    );
    const nameOf = ({ customer_id, properties, timestamp }: UsageEvent): string => {
      const endpoint = properties?.["endpoint"];
      const day = new Date(Number(timestamp) + 5.5 * 3_600_000).toISOString().slice(0, 10);
      return JSON.stringify({ customer: customer_id, endpoint: endpoint === undefined ? "" : String(endpoint), day });
    };
    const expected = [...Map.groupBy(wanted, nameOf)].map(([name, own]) => {
      const latencies = own.flatMap(({ properties }) => units(properties?.["latency"]) ?? []);
      const users = own.flatMap(({ properties }) => {
        const { id = "" } = (properties?.["user"] ?? {}) as { id?: string | number };
        return id === "" ? [] : [String(id)];
      });
      const least = latencies.toSorted((a, b) => (a < b ? -1 : 1));
      return {
        group: JSON.parse(name) as Record<string, string>,
        values: {
          count: String(own.length),
          "sum(latency)": decimal(latencies.reduce((sum, value) => sum + value, 0n)) ?? "",
          "min(latency)": decimal(least[0]),
          "max(latency)": decimal(least.at(-1)),
          "unique(user.id)": String(new Set(users).size),
        },
        rejected: { latency: own.length - latencies.length, user: own.length - users.length },
      };
    });
    const order = (rows: readonly { readonly group: object }[]) =>
      rows.toSorted((a, b) => (JSON.stringify(a.group) < JSON.stringify(b.group) ? -1 : 1));
    const read = result.data.map(({ group, values, rejected = {} }) => ({
      group,
      values,
      rejected: { latency: rejected["sum(latency)"] ?? 0, user: rejected["unique(user.id)"] ?? 0 },
    }));
    expect(order(read)).toEqual(order(expected));
    expect(result).toMatchObject({ matched: wanted.length, total_rows: expected.length, truncated: false });
    expect(result.repeated).toBeGreaterThan(0);
    // By the first measure, the largest first.
    const counts = result.data.map(({ values }) => Number(values["count"]));
    expect(counts).toEqual(counts.toSorted((a, b) => b - a));
  });

  test("goes on from where it was when a slice fails, and leaves nothing behind", async () => {
    const events = Array.from({ length: 120 }, (_, index): UsageEvent => ({
      id: `e${index}`,
      event: "call",
      customer_id: "acme",
      timestamp: START,
      properties: { n: 1 },
    }));
    await archive([...events, ...events.slice(0, 40)], 1);
    // A second goes by whenever the clock is looked at, so that no step reads all of it.
    let now = START;
    vi.spyOn(Date, "now").mockImplementation(() => (now += 1_000));
    let saves = 0;
    harness.faults = {
      before: (step) => {
        if (step === "d1" && ++saves % 3 === 1) throw new Error("D1 is away");
      },
    };
    const result = await resultOf({ measures: [{ of: "count" }, { of: "sum", property: "n" }] });
    expect(result).toMatchObject({
      matched: 120,
      repeated: 40,
      data: [{ group: {}, values: { count: "120", "sum(n)": "120" } }],
    });
    expect(saves).toBeGreaterThan(6);
    expect((await env.ARCHIVE.list({ prefix: `queries/${project}/` })).objects).toEqual([]);
  });

  test("leaves out what was received after it was asked, and what lies outside of its range", async () => {
    const event = (id: string, timestamp: number): UsageEvent => ({
      id,
      event: "call",
      customer_id: "acme",
      timestamp,
    });
    await archive([event("a", START), event("b", START - DAY), event("c", START - 2 * DAY - 1), event("d", START + 1)]);
    harness.send(project, [event("late", START)], START + 60_000);
    await harness.deliver("tidemark-events");
    expect(await resultOf({}, { from: START - 2 * DAY, to: START + 1 })).toMatchObject({
      matched: 2,
      data: [{ group: {}, values: { count: "2" } }],
    });
  });

  test("counts an id for each customer, and events without a time where they were received", async () => {
    await archive([
      { id: "same", event: "call", customer_id: "acme" },
      { id: "same", event: "call", customer_id: "acme" },
      { id: "same", event: "call", customer_id: "globex" },
    ]);
    const { data } = await resultOf({ group_by: ["customer", "day", "event"] });
    expect(data).toEqual([
      { group: { customer: "acme", day: "2031-11-20", event: "call" }, values: { count: "1" } },
      { group: { customer: "globex", day: "2031-11-20", event: "call" }, values: { count: "1" } },
    ]);
  });

  test("that nothing matches is answered with nothing", async () => {
    expect(await resultOf({ measures: [{ of: "count" }, { of: "max", property: "n" }] })).toEqual({
      matched: 0,
      repeated: 0,
      total_rows: 1,
      truncated: false,
      data: [{ group: {}, values: { count: "0", "max(n)": null } }],
    });
    expect((await resultOf({ group_by: ["endpoint"] })).data).toEqual([]);
  });

  test("reads what can hold its events and nothing else, to the millisecond", async () => {
    const [from, to] = [START - 60 * DAY, START - 60 * DAY + 3_600_000];
    const event = (id: string, timestamp: number): UsageEvent => ({
      id,
      event: "call",
      customer_id: "acme",
      timestamp,
    });
    const [first, last] = [from - EVENT_AHEAD_MS_MAX, to - 1 + EVENT_AGE_MS_MAX];
    await putObject(first - 1, [event("other", from - EVENT_AHEAD_MS_MAX)]);
    await putObject(first, [event("ahead", from)]);
    await putObject(last, [event("late", to - 1)]);
    await putObject(to + MEMORY_DAYS * DAY - 1, [event("late", to - 1)]);
    await putObject(to + MEMORY_DAYS * DAY, [event("other", to + MEMORY_DAYS * DAY)]);
    const { progress } = await ask({}, { from, to });
    expect(progress).toMatchObject({ objects: 3, objects_total: 3, events: 3 });
    expect(progress.query?.result).toMatchObject({ matched: 2, repeated: 1 });
  });

  test("goes on counting what there is to read, and fails with how much that is and why", async () => {
    const events = [{ id: "a", event: "call", customer_id: "acme", timestamp: START }];
    await putObject(START, events);
    await putObject(START + 1, events);
    const { key } = (await env.ARCHIVE.list({ prefix: `events/${project}/` })).objects[0] ?? {};
    const counted = { ...FIRST_STEP, cursor: key ?? null, objects_total: ARCHIVE_OBJECTS_MAX };
    const job = await ask({}, {}, counted);
    expect(job).toMatchObject({ state: "failed", progress: { objects: 0, cursor: null } });
    expect(job.progress.error).toContain(`has ${ARCHIVE_OBJECTS_MAX + 1} objects to read`);
    expect(job.progress.error).toContain("may arrive late");
    // One object less, and it is answered.
    const enough = await ask({}, {}, { ...counted, objects_total: ARCHIVE_OBJECTS_MAX - 1 });
    expect(enough).toMatchObject({ state: "done", progress: { objects: 2, objects_total: ARCHIVE_OBJECTS_MAX } });
  });

  test("with too many groups fails at once, and says what to do", async () => {
    const events = Array.from({ length: ARCHIVE_GROUPS_MAX + 1 }, (_, index): UsageEvent => ({
      id: `e${index}`,
      event: "call",
      customer_id: "acme",
      timestamp: START,
      properties: { k: index },
    }));
    await putObject(START, events);
    const job = await ask({ group_by: ["k"] });
    expect(job.state).toBe("failed");
    expect(job.progress.error).toContain("group by less");
  });

  test("gives the largest groups when they are more than asked for, and a list of jobs without them", async () => {
    await archive(
      Array.from({ length: 30 }, (_, index): UsageEvent => ({
        id: `e${index}`,
        event: "call",
        customer_id: "acme",
        timestamp: START,
        properties: { k: `k${Math.floor(Math.sqrt(index))}` },
      })),
    );
    const result = await resultOf({ group_by: ["property:k"], limit: 2 });
    expect(result).toMatchObject({
      total_rows: 6,
      truncated: true,
      data: [
        { group: { "property:k": "k4" }, values: { count: "9" } },
        { group: { "property:k": "k3" }, values: { count: "7" } },
      ],
    });
    const [listed] = await listJobs(env.DB, project, 10);
    expect(listed?.progress.query?.result).toBeUndefined();
  });
});
