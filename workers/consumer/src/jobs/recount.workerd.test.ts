import { createScheduledController, evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { FIRST_STEP, type JobKind, type JobParams, meterName } from "@tidemark/contract";
import type { Metric, UsageDay, UsageEvent } from "@tidemark/core";
import { type BackfilledSpan, findJob, insertJob, type Job } from "@tidemark/db/jobs";
import { insertMetric, metricOf } from "@tidemark/testing/metric";
import { PipelineHarness } from "@tidemark/testing/pipeline-harness";
import { defineRequest } from "@tidemark/testing/quota";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { queue, scheduled } from "../index.ts";

// Ahead of the real clock, so that no alarm rings but those that the harness rings.
const START = Date.UTC(2031, 10, 20, 12);
const DAY = 86_400_000;
const TODAY = Math.floor(START / DAY);

let projects = 0;
let project = "";
let harness: PipelineHarness;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: START });
  vi.spyOn(console, "error").mockImplementation(() => {});
  project = `recount-${++projects}`;
  harness = new PipelineHarness(queue, START, (now) => vi.setSystemTime(now));
  await env.DB.batch([
    env.DB.prepare("DELETE FROM watches"),
    env.DB.prepare("INSERT INTO projects VALUES (?, 'p', 'UTC', 1, 0)").bind(project),
    ...insertMetric(env.DB, project, RULES.before),
  ]);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const RULE: Partial<Metric> = {
  aggregation: "sum",
  value_property: "n",
  decimal_places: 2,
  group_by: ["region"],
  segments: [{ name: "EU", filters: { and: [{ property: "region", op: "equals", value: "eu" }] } }],
};
/** The same rule, defined before and after the events. */
const RULES = { before: metricOf({ ...RULE, id: "before" }), after: metricOf({ ...RULE, id: "after" }) };

const CUSTOMERS = ["acme", "globex", "initech"];

/** Events over five days of three customers; some are not numbers. */
function events(from: number, length: number): UsageEvent[] {
  return Array.from({ length }, (_, offset) => {
    const i = from + offset;
    return {
      id: `e${i}`,
      event: "call",
      customer_id: CUSTOMERS[i % 3] ?? "",
      timestamp: START - (i % 5) * DAY - i * 1_000,
      properties: { n: i % 11 === 0 ? "x" : i / 4, region: i % 2 === 0 ? "eu" : "us" },
    };
  });
}

function call(id: string): UsageEvent {
  return { id, event: "call", customer_id: "acme", timestamp: START, properties: { n: 1, region: "eu" } };
}

/** Sends events in batches of their own, so that the archive has several objects. */
async function count(all: readonly UsageEvent[], batch = 10): Promise<void> {
  for (let i = 0; i < all.length; i += batch) {
    harness.send(project, all.slice(i, i + batch));
    await harness.deliver("tidemark-events");
  }
}

let jobs = 0;

async function begin(kind: JobKind, change: Partial<JobParams> = {}): Promise<string> {
  const params: JobParams = { metric: null, customer_id: null, from_day: 0, to_day: TODAY, ...change };
  const job: Job = {
    project_id: project,
    id: `job-${++jobs}`,
    kind,
    state: "waiting",
    params,
    progress: FIRST_STEP,
    created_at: harness.now,
    updated_at: harness.now,
    finished_at: null,
  };
  const span: BackfilledSpan | null =
    params.metric === null
      ? null
      : {
          metric_id: params.metric.id,
          version: params.metric.version,
          from: params.from_day * DAY,
          until: (params.to_day + 1) * DAY,
          effective_from: null,
        };
  expect(await insertJob(env.DB, job, span)).toBe(true);
  harness.push("tidemark-jobs", JSON.stringify({ project_id: project, job_id: job.id }));
  return job.id;
}

async function backfill(change: Partial<JobParams> = {}): Promise<string> {
  return begin("backfill", { metric: { id: "after", slug: "after", version: 1 }, ...change });
}

async function defineLate(): Promise<void> {
  harness.now += 60_000;
  await env.DB.batch([
    ...insertMetric(env.DB, project, RULES.after, harness.now),
    env.DB.prepare("UPDATE projects SET catalog_version = catalog_version + 1 WHERE id = ?").bind(project),
  ]);
}

async function finished(id: string): Promise<Job> {
  for (let round = 0; round < 400; round++) {
    const job = await findJob(env.DB, project, id);
    if (job === undefined) throw new Error("The job is there.");
    if (job.state === "done" || job.state === "failed") return job;
    await harness.advance(1_000);
  }
  throw new Error("The job does not end.");
}

/** A counter's days in all meters, without what tells counters and versions apart. */
async function inMeters(metricId: string): Promise<unknown> {
  const meters = await Promise.all(
    [...CUSTOMERS, "new"].map(async (customer_id) => {
      const meter = env.METERS.get(env.METERS.idFromName(meterName(project, customer_id)));
      const { days } = await meter.read({
        project_id: project,
        customer_id,
        metric_ids: [metricId],
        from_day: 0,
        to_day: 40_000,
      });
      return [customer_id, toComparable(days as readonly UsageDay[])];
    }),
  );
  return Object.fromEntries(meters) as unknown;
}

function toComparable(days: readonly UsageDay[]): unknown {
  return days.filter((day) => day.events + day.rejected > 0).map(withoutVersion);
}

function withoutVersion({ groups, ...day }: UsageDay): unknown {
  return {
    ...day,
    metric_id: null,
    version: null,
    groups: groups.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
  };
}

async function rows(metricId?: string): Promise<readonly Record<string, unknown>[]> {
  const { results } = await env.DB.prepare(
    "SELECT * FROM usage_days WHERE project_id = ? ORDER BY metric_id, day, customer_id",
  )
    .bind(project)
    .all();
  return results.filter((row) => metricId === undefined || row["metric_id"] === metricId);
}

function values(stored: readonly Record<string, unknown>[]): unknown {
  return stored
    .filter((row) => Number(row["events"]) + Number(row["rejected"]) > 0)
    .map(({ day, customer_id, value, events: counted, rejected, last_at }) => [
      day,
      customer_id,
      value,
      counted,
      rejected,
      last_at,
    ]);
}

describe("a backfill", () => {
  test("comes to what defining the metric before would have", async () => {
    await count(events(0, 60));
    await defineLate();
    await count([...events(40, 20), ...events(60, 12)]);
    expect(await inMeters("after")).not.toEqual(await inMeters("before"));
    const job = await finished(await backfill());
    expect(job).toMatchObject({ state: "done", progress: { customers: 3, events: 92, uncounted: 0 } });
    expect(await inMeters("after")).toEqual(await inMeters("before"));
    await harness.advance(60_000);
    expect(values(await rows("after"))).toEqual(values(await rows("before")));
    expect(values(await rows("after"))).not.toEqual([]);
  });

  test("reaches the database also where a customer's days are too many for the meter's row", async () => {
    const wide = events(0, 900).map((event, i) => ({
      ...event,
      customer_id: "acme",
      properties: { n: 1, region: `region-${i % 150}` },
    }));
    await count(wide, 300);
    await harness.advance(60_000);
    await defineLate();
    await finished(await backfill());
    await harness.advance(5 * 60_000);
    expect(values(await rows("after"))).toEqual(values(await rows("before")));
  });

  test("counts events that arrive meanwhile once, also of customers who are new", async () => {
    await count(events(0, 60));
    await defineLate();
    let next = 60;
    harness.faults = {
      afterRecount: async () => {
        if (next >= 160) return;
        const some = events(next, 5).map((event, i) => (i === 4 ? { ...event, customer_id: "new" } : event));
        next += 5;
        // New ones, some that were counted long ago, and some that come twice.
        harness.send(project, [...some, ...events(next % 50, 3), ...some.slice(0, 2)]);
        await harness.deliver("tidemark-events");
      },
    };
    await finished(await backfill());
    expect(next).toBeGreaterThan(100);
    harness.faults = {};
    await count(events(0, 20));
    expect(await inMeters("after")).toEqual(await inMeters("before"));
    await harness.advance(30 * 60_000);
    expect(values(await rows("after"))).toEqual(values(await rows("before")));
  });

  test("goes on after every interruption, and its numbers are the same", async () => {
    await count(events(0, 100), 5);
    await defineLate();
    let calls = 0;
    harness.faults = {
      before: (step) => {
        if (step === "job" && ++calls % 7 === 0) throw new Error("killed");
      },
    };
    const job = await finished(await backfill());
    expect(calls).toBeGreaterThan(30);
    expect(job.state).toBe("done");
    expect(await inMeters("after")).toEqual(await inMeters("before"));
  });

  test("is found by the cron trigger when its message is lost", async () => {
    await count(events(0, 20));
    await defineLate();
    const id = await backfill();
    harness.drop("tidemark-jobs");
    await harness.advance(60_000);
    expect((await findJob(env.DB, project, id))?.state).toBe("waiting");
    await scheduled(createScheduledController(), harness.env as never);
    expect((await finished(id)).state).toBe("done");
    expect(await inMeters("after")).toEqual(await inMeters("before"));
  });

  test("run twice changes nothing", async () => {
    await count(events(0, 60));
    await defineLate();
    await finished(await backfill());
    const first = await inMeters("after");
    const job = await finished(await backfill());
    expect(job.progress.difference_count).toBe(0);
    expect(await inMeters("after")).toEqual(first);
  });

  test("leaves to decisions what decisions have counted", async () => {
    const address = { project_id: project, customer_id: "acme" };
    const meter = env.METERS.get(env.METERS.idFromName(meterName(project, "acme")));
    await meter.define(defineRequest({ ...address, metric: RULES.before, terms: { base: 1_000_000 } }));
    const use = {
      ...address,
      kind: "consume",
      catalog_version: 1,
      is_named: true,
      returns: null,
      enforce: true,
    } as const;
    const consumed = { ...use, items: [{ metric: "before", amount: 1 }], properties: null };
    for (const id of ["first", "second", "third"]) await meter.decide({ ...consumed, id });
    await count([call("first"), call("plain")]);
    await defineLate();
    await finished(await backfill());
    await count([call("second")]);
    const valuesOf = async (counter: string): Promise<readonly string[]> => {
      const { days } = await meter.read({ ...address, metric_ids: [counter], from_day: 0, to_day: 40_000 });
      return days.map(({ value }) => value);
    };
    // The third decision has no event.
    expect(await valuesOf("before")).toEqual(["300"]);
    expect(await valuesOf("before:decided")).toEqual(["100"]);
    expect(await valuesOf("after")).toEqual(["300"]);
    const job = await finished(await begin("verify"));
    expect(job.progress).toMatchObject({ difference_count: 0, uncounted: 0 });
  });

  test("of some days leaves the others alone", async () => {
    await count(events(0, 60));
    await defineLate();
    await finished(await backfill({ from_day: TODAY - 2, to_day: TODAY - 1 }));
    const days = Object.values((await inMeters("after")) as Record<string, { readonly day: number }[]>).flat();
    expect(new Set(days.map(({ day }) => day))).toEqual(new Set([TODAY - 2, TODAY - 1]));
  });

  test("reaches limits from when on a person chose, and once", async () => {
    await count(events(0, 60));
    await defineLate();
    const address = { project_id: project, customer_id: "acme" };
    const meter = env.METERS.get(env.METERS.idFromName(meterName(project, "acme")));
    const anchor = (TODAY - 30) * DAY;
    const schedule = { interval: { count: 1, period: "years" }, anchor, time_zone: "UTC" } as const;
    await meter.define(defineRequest({ ...address, metric: RULES.after, terms: { base: 1_000_000, schedule } }));
    await count(events(60, 12));
    const used = async (): Promise<bigint> => BigInt((await meter.balances(address)).balances[0]?.view.used ?? 0);
    const afterwards = await used();
    await finished(await backfill({ limits_from: (TODAY - 2) * DAY }));
    const since = (from: number): bigint =>
      events(0, 60)
        .filter(({ customer_id, timestamp }) => customer_id === "acme" && Number(timestamp) >= from)
        .reduce((sum, { properties }) => sum + BigInt(Math.round(100 * (Number(properties?.["n"]) || 0))), 0n);
    expect(since((TODAY - 2) * DAY)).toBeLessThan(since(0));
    expect(await used()).toBe(afterwards + since((TODAY - 2) * DAY));
    await finished(await backfill({ limits_from: (TODAY - 2) * DAY }));
    expect(await used()).toBe(afterwards + since((TODAY - 2) * DAY));
  });

  test("takes of two contents of one id the one that counted", async () => {
    const [first] = events(1, 1);
    if (first === undefined) throw new Error("There is an event.");
    // The archive's order is not the order of arrival.
    for (let i = 0; i < 6; i++)
      await count(
        [
          { ...first, id: `twice-${i}`, properties: { n: 1, region: "eu" } },
          { ...first, id: `twice-${i}`, properties: { n: 100, region: "us" } },
        ],
        1,
      );
    await defineLate();
    await finished(await backfill());
    expect(await inMeters("after")).toEqual(await inMeters("before"));
  });

  test("refuses events that were evaluated with metrics from before it", async () => {
    await count(events(0, 30));
    await defineLate();
    await finished(await backfill());
    const meter = env.METERS.get(env.METERS.idFromName(meterName(project, "acme")));
    const reply = await meter.apply({
      project_id: project,
      customer_id: "acme",
      catalog_version: 1,
      fingerprints: Uint32Array.of(1, 2, 3),
      instants: Float64Array.of(START),
      series: [],
      matches: new Uint32Array(),
      values: new Float64Array(),
      large: [],
      rejected: [],
      recent: [],
    });
    expect(reply).toMatchObject({ stale: true, fresh: 0 });
  });
});

describe("verify", () => {
  test("finds nothing where archive, meters and database agree", async () => {
    await count(events(0, 90));
    await harness.advance(60 * 60_000);
    const job = await finished(await begin("verify"));
    expect(job.progress).toMatchObject({
      difference_count: 0,
      differences: [],
      pending: 0,
      uncounted: 0,
      customers: 3,
    });
    expect(job.progress.days).toBeGreaterThan(10);
  });

  test("names the day where the meter or the database is wrong", async () => {
    await count(events(0, 30));
    await harness.advance(60 * 60_000);
    await env.DB.batch([
      env.DB.prepare(
        "UPDATE usage_days SET value = value + 1 WHERE project_id = ? AND customer_id = 'acme' AND day = ?",
      ).bind(project, TODAY),
      env.DB.prepare("DELETE FROM usage_days WHERE project_id = ? AND customer_id = 'globex' AND day = ?").bind(
        project,
        TODAY - 1,
      ),
    ]);
    const stub = env.METERS.get(env.METERS.idFromName(meterName(project, "initech")));
    await runInDurableObject(stub, (_, state) => {
      state.storage.sql.exec(`UPDATE head SET state = replace(state, '"day":${TODAY},', '"day":${TODAY + 7},')`);
    });
    await evictDurableObject(stub);
    const { progress } = await finished(await begin("verify", { to_day: TODAY + 30 }));
    const found = progress.differences.map(
      ({ customer_id, day, with: side }) => `${customer_id} ${(day ?? 0) - TODAY} ${side}`,
    );
    expect(found).toContain("acme 0 database");
    expect(found).toContain("globex -1 database");
    expect(found).toContain("initech 0 archive");
    expect(found).toContain("initech 7 archive");
  });
});

describe("rebuild", () => {
  test("restores the database byte for byte", async () => {
    await count(events(0, 90));
    await harness.advance(60 * 60_000);
    const before = await rows();
    expect(before.length).toBeGreaterThan(10);
    await env.DB.prepare("DELETE FROM usage_days WHERE project_id = ?").bind(project).run();
    await finished(await begin("rebuild"));
    await harness.advance(60_000);
    expect(await rows()).toEqual(before);
  });

  test("restores a meter that lost everything, and it knows its ids again", async () => {
    await count(events(0, 90));
    const before = await inMeters("before");
    const stub = env.METERS.get(env.METERS.idFromName(meterName(project, "acme")));
    await runInDurableObject(stub, (_, state) => state.storage.deleteAll());
    await evictDurableObject(stub);
    expect(await inMeters("before")).not.toEqual(before);
    await finished(await begin("rebuild", { customer_id: "acme" }));
    expect(await inMeters("before")).toEqual(before);
    // Sent again, they are known.
    await count(events(0, 90));
    expect(await inMeters("before")).toEqual(before);
  });
});

describe("a batch that is under way when a metric is made and backfilled", () => {
  test("is counted with it, also of a customer whom the job never met", async () => {
    await count(events(0, 30));
    // The metrics are read, and before the events are in the archive a metric is made and backfilled.
    let steps = 0;
    harness.faults = {
      before: (step) => {
        if (step === "archive" && ++steps === 1) throw new Error("the archive is slow: everything else happens first");
      },
    };
    harness.send(project, [{ ...call("late"), customer_id: "new" }]);
    await harness.deliver("tidemark-events");
    await defineLate();
    await finished(await backfill());
    await harness.advance(60_000);
    expect(await inMeters("after")).toEqual(await inMeters("before"));
  });

  test("is evaluated again when the metrics changed before it was archived", async () => {
    const version = () => env.DB.prepare("UPDATE projects SET catalog_version = catalog_version + 1 WHERE id = ?");
    await count(events(0, 3));
    let changes = 1;
    const put = harness.env.ARCHIVE.put.bind(harness.env.ARCHIVE);
    Object.assign(harness.env, {
      ARCHIVE: new Proxy(harness.env.ARCHIVE, {
        get: (bucket, name) =>
          name === "put"
            ? async (...args: Parameters<typeof put>) => {
                const stored = await put(...args);
                if (changes-- > 0)
                  await env.DB.batch([...insertMetric(env.DB, project, RULES.after, START), version().bind(project)]);
                return stored;
              }
            : (Reflect.get(bucket, name) as (...args: unknown[]) => unknown).bind(bucket),
      }),
    });
    await count([call("between")]);
    expect(await inMeters("after")).toEqual({ acme: [], globex: [], initech: [], new: [] });
    await harness.advance(10_000);
    expect(harness.backlog).toBe(0);
    expect(JSON.stringify(await inMeters("after"))).toContain('"events":1');
  });
});

test("an event without a time that came twice around midnight is rebuilt on the day that counted it", async () => {
  const { timestamp: _, ...untimed } = call("untimed");
  harness.now = Math.ceil(START / DAY) * DAY - 1_000;
  await count([untimed]);
  harness.now += 2_000;
  await count([untimed]);
  const before = await inMeters("before");
  expect(
    (await finished(await begin("verify", { from_day: TODAY + 1, to_day: TODAY + 1 }))).progress.difference_count,
  ).toBe(0);
  await finished(await begin("rebuild", { from_day: TODAY + 1, to_day: TODAY + 1 }));
  expect(await inMeters("before")).toEqual(before);
});

describe("books", () => {
  const address = () => ({ project_id: project, customer_id: "acme" });
  const acme = () => env.METERS.get(env.METERS.idFromName(meterName(project, "acme")));
  const entry = (job_id: string, catalog_version: number) => ({
    ...address(),
    trusts_archive: false,
    scope: {
      job_id,
      counters: ["before"],
      from_day: 0,
      to_day: TODAY,
      catalog_version,
      trusts_archive: false,
      may_skip: false,
    },
    fingerprints: new Uint32Array(),
    instants: new Float64Array(),
    series: [],
    matches: new Uint32Array(),
    values: new Float64Array(),
    large: [],
    rejected: [],
  });

  test("that a job has closed are not opened again by a late call of it", async () => {
    await count(events(0, 9));
    const before = await inMeters("before");
    expect(await acme().recount(entry("one", 5))).toMatchObject({ books: "opened" });
    await acme().closeBooks(address(), "one", false);
    expect(await acme().recount(entry("one", 5))).toMatchObject({ books: "closed" });
    await acme().closeBooks(address(), "one", true);
    expect(await inMeters("before")).toEqual(before);
  });

  test("of a job are not thrown away by an earlier one", async () => {
    await count(events(0, 9));
    expect(await acme().recount(entry("two", 6))).toMatchObject({ books: "opened" });
    await expect(runInDurableObject(acme(), (meter) => meter.recount(entry("one", 5)))).rejects.toThrow("later job");
    expect(await acme().recount(entry("two", 6))).toMatchObject({ books: "open" });
  });

  test("are closed by a job that fails for good, and the meter's figures stay", async () => {
    await count(events(0, 30));
    const before = await inMeters("before");
    harness.faults = {
      before: (step) => {
        if (step === "compare") throw new Error("one of them never answers");
      },
    };
    const job = await finished(await begin("rebuild"));
    expect(job).toMatchObject({ state: "failed", progress: { is_abandoned: true } });
    expect(job.progress.error).toContain("never answers");
    expect(await acme().compare(address(), job.id)).toMatchObject({ is_open: false });
    expect(await inMeters("before")).toEqual(before);
  });
});

describe("rebuild also", () => {
  test("puts a row right that has other figures of the same version", async () => {
    await count(events(0, 30));
    await harness.advance(60 * 60_000);
    const before = await rows();
    await env.DB.prepare(
      "UPDATE usage_days SET value = value + 1, version = version + 1 WHERE project_id = ? AND day = ?",
    )
      .bind(project, TODAY)
      .run();
    const job = await finished(await begin("rebuild"));
    expect(job.progress.difference_count).toBe(3);
    await harness.advance(60_000);
    expect(await rows()).toEqual(before);
  });

  test("restores the rows of a customer whose days all rest, and who is quiet", async () => {
    const wide = Array.from({ length: 400 }, (_, i) => ({
      ...call(`wide-${i}`),
      properties: { n: 1, region: `region-${i} ${"x".repeat(80)}` },
    }));
    await count(wide, 400);
    await harness.advance(60 * 60_000);
    const before = await rows();
    await env.DB.prepare("DELETE FROM usage_days WHERE project_id = ?").bind(project).run();
    await finished(await begin("rebuild"));
    await harness.advance(60_000);
    expect(await rows()).toEqual(before);
  });

  test("restores a meter that lost everything and was used again before", async () => {
    await count(events(0, 90));
    const stub = env.METERS.get(env.METERS.idFromName(meterName(project, "acme")));
    await runInDurableObject(stub, (_, state) => state.storage.deleteAll());
    await evictDurableObject(stub);
    const id = await begin("rebuild");
    await count([call("first")]);
    await finished(id);
    const before = await inMeters("before");
    expect(JSON.stringify(before)).toContain('"events"');
    await finished(await begin("verify"));
    const { progress } = await finished(await begin("verify"));
    expect(progress).toMatchObject({ difference_count: 0, events: 91 });
  });
});

test("a project has one job at a time", async () => {
  await begin("verify");
  const job: Job = {
    project_id: project,
    id: "second",
    kind: "rebuild",
    state: "waiting",
    params: { metric: null, customer_id: null, from_day: 0, to_day: TODAY },
    progress: FIRST_STEP,
    created_at: START,
    updated_at: START,
    finished_at: null,
  };
  expect(await insertJob(env.DB, job, null)).toBe(false);
});
