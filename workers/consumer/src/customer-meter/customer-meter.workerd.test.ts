import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { type ApplyRequest, meterName } from "@tidemark/contract";
import { hashId } from "@tidemark/core";
import { expect, test } from "vitest";
import type { CustomerMeter } from "./customer-meter.ts";
import { migrate } from "./schema.ts";

const NOON = Date.UTC(2026, 10, 20, 12);

function request(ids: readonly string[], change: Partial<ApplyRequest> = {}): ApplyRequest {
  const fingerprints = new Uint32Array(ids.length * 3);
  ids.forEach((id, i) => {
    hashId(id, fingerprints, i * 3);
    fingerprints[i * 3 + 2] = 7;
  });
  return {
    project_id: "p",
    customer_id: "acme",
    fingerprints,
    instants: Float64Array.from(ids, () => NOON),
    catalog_version: 1,
    series: [{ metric_id: "requests", aggregation: "sum", labels: [], segments: 0 }],
    matches: Uint32Array.from(ids.flatMap((_, i) => [i, 0])),
    values: Float64Array.from(ids, () => 1),
    large: [],
    rejected: [],
    recent: [],
    ...change,
  };
}

function meterOf(customer: string): DurableObjectStub<CustomerMeter> {
  return env.METERS.get(env.METERS.idFromName(meterName("p", customer)));
}

async function total(customer: string): Promise<string | undefined> {
  const { days } = await meterOf(customer).read({
    project_id: "p",
    customer_id: customer,
    metric_ids: ["requests"],
    from_day: 0,
    to_day: 40_000,
  });
  return days[0]?.value;
}

async function openBooks(meter: DurableObjectStub<CustomerMeter>, customer: string): Promise<void> {
  const { recent: _, catalog_version, ...nothing } = request([], { customer_id: customer });
  const range = { from_day: 0, to_day: 40_000 };
  const rights = { trusts_archive: false, may_skip: false };
  const scope = { job_id: "job", counters: ["requests"], catalog_version, ...range, ...rights };
  expect(await meter.recount({ ...nothing, scope, trusts_archive: false })).toMatchObject({ books: "opened" });
}

test("a redelivered batch changes nothing and says so", async () => {
  const call = request(["a", "b", "c"]);
  const meter = meterOf("acme");
  expect(await meter.apply(call)).toMatchObject({ fresh: 3, duplicates: 0, created: true });
  expect(await meter.apply(call)).toMatchObject({ fresh: 0, duplicates: 3, conflicts: [], created: true });
  expect(await total("acme")).toBe("3");
});

test("an id with other content is a conflict, and the first one counts", async () => {
  const meter = meterOf("other");
  const first = request(["a"], { customer_id: "other" });
  await meter.apply(first);
  const second = { ...first, fingerprints: first.fingerprints.slice() };
  second.fingerprints[2] = 8;
  expect(await meter.apply(second)).toMatchObject({ fresh: 0, conflicts: [0] });
  expect(await total("other")).toBe("1");
});

test("a meter refuses a call that names another customer", async () => {
  const meter = meterOf("mine");
  await meter.apply(request(["a"], { customer_id: "mine" }));
  await expect(
    runInDurableObject(meter, (instance) => instance.apply(request(["b"], { customer_id: "theirs" }))),
  ).rejects.toThrow("another customer");
  expect(await total("mine")).toBe("1");
});

test.each([
  ["however many events it carries", "rows", false],
  ["also while a job has books open", "rows-and-books", true],
])("a call writes at most two rows, %s", async (_what, customer, isOpen) => {
  const meter = meterOf(customer);
  await meter.apply(request(["first"], { customer_id: customer }));
  if (isOpen) await openBooks(meter, customer);
  await runInDurableObject(meter, async (instance, state) => {
    const { sql } = state.storage;
    const counted: number[] = [];
    let rows = 0;
    const exec = sql.exec.bind(sql);
    const setAlarm = state.storage.setAlarm.bind(state.storage);
    Object.defineProperty(sql, "exec", {
      value: (...args: Parameters<typeof exec>) => {
        const cursor = exec(...args);
        rows += cursor.rowsWritten;
        return cursor;
      },
    });
    Object.defineProperty(state.storage, "setAlarm", {
      value: (at: number) => {
        rows++;
        return setAlarm(at);
      },
    });
    for (let call = 0; call < 60; call++) {
      rows = 0;
      const ids = Array.from({ length: 1_000 }, (_, i) => `${call}-${i}`);
      await instance.apply(request(ids, { customer_id: customer }));
      counted.push(rows);
    }
    expect(Math.max(...counted)).toBeLessThanOrEqual(2);
    expect(counted.reduce((a, b) => a + b)).toBeGreaterThan(60);
  });
  expect(await total(customer)).toBe("60001");
});

test("700,000 ids are known again after every move: tail, slot, run, merged run, and a sleep", async () => {
  const customer = "many";
  const meter = meterOf(customer);
  const ids = (call: number): string[] => Array.from({ length: 1_000 }, (_, i) => `${call}-${i}`);
  const apply = (call: number) => meter.apply(request(ids(call), { customer_id: customer }));
  for (let call = 0; call < 700; call++) {
    expect((await apply(call)).fresh).toBe(1_000);
    if (call % 40 === 39) while (await needsTidying(meter)) await runDurableObjectAlarm(meter);
  }
  const levels = await runInDurableObject(meter, (_, state) => readIdState(state).runs.map((run) => run.level));
  expect(levels).toContain(3);
  await evictDurableObject(meter);
  for (let call = 0; call < 700; call++) {
    expect(await apply(call)).toMatchObject({ fresh: 0, duplicates: 1_000, conflicts: [], forgotten: [] });
  }
  expect(await total(customer)).toBe("700000");
});

interface IdStateView {
  readonly merge: object | null;
  readonly runs: readonly { readonly level: number }[];
  readonly slots: readonly { readonly count: number }[];
}

function readIdState(state: DurableObjectState): IdStateView {
  const { state: text } = state.storage.sql.exec<{ state: string }>("SELECT state FROM head").one();
  return (JSON.parse(text) as { ids: IdStateView }).ids;
}

async function needsTidying(meter: DurableObjectStub<CustomerMeter>): Promise<boolean> {
  return runInDurableObject(meter, (_, state) => {
    const { merge, runs, slots } = readIdState(state);
    const inSlots = slots.reduce((sum, slot) => sum + slot.count, 0);
    return (
      merge !== null ||
      inSlots >= 32_768 ||
      [1, 2].some((level) => runs.filter((run) => run.level === level).length >= 4)
    );
  });
}

test("a meter refuses a schema that is newer than its code", async () => {
  const meter = meterOf("newer");
  await meter.apply(request(["a"], { customer_id: "newer" }));
  await runInDurableObject(meter, (_, { storage }) => {
    migrate(storage);
    storage.sql.exec("UPDATE schema_version SET version = version + 1");
    expect(() => migrate(storage)).toThrow("this code knows");
  });
});

test("labels beyond the cap are counted together, and the total stays exact", async () => {
  const customer = "labels";
  const meter = meterOf(customer);
  const count = 1_500;
  const ids = Array.from({ length: count }, (_, i) => `${i}`);
  const series = ids.map((id) => ({
    metric_id: "requests",
    aggregation: "sum" as const,
    labels: [`/page/${id}`],
    segments: 0,
  }));
  await meter.apply(
    request(ids, { customer_id: customer, series, matches: Uint32Array.from(ids.flatMap((_, i) => [i, i])) }),
  );
  const { days } = await meter.read({
    project_id: "p",
    customer_id: customer,
    metric_ids: ["requests"],
    from_day: 0,
    to_day: 40_000,
  });
  const groups = days[0]?.groups ?? [];
  expect(days[0]?.value).toBe(String(count));
  expect(groups).toHaveLength(1_001);
  expect(groups.find((group) => group.labels[0] === "(other)")?.value).toBe(String(count - 1_000));
});

test("sums are exact beyond 2^53, and beyond 2^63", async () => {
  const customer = "large";
  const meter = meterOf(customer);
  const large = 9_007_199_254_740_993n;
  const change = { customer_id: customer, values: Float64Array.of(Infinity), large: [[0, large]] as const };
  await meter.apply(request(["a"], change));
  await meter.apply(request(["b"], change));
  expect(await total(customer)).toBe(String(large * 2n));
  await meter.apply(request(["c"], { ...change, large: [[0, 9_223_372_036_854_775_807n]] }));
  const { days } = await meter.read({
    project_id: "p",
    customer_id: customer,
    metric_ids: ["requests"],
    from_day: 0,
    to_day: 40_000,
  });
  expect([days[0]?.value, days[0]?.rejected]).toEqual([String(large * 2n + 9_223_372_036_854_775_807n), 0]);
});
