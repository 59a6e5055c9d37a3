import { env, runInDurableObject } from "cloudflare:test";
import { type ApplyRequest, meterName } from "@tidemark/contract";
import { hashId } from "@tidemark/core";
import { expect, test } from "vitest";

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
    series: [{ metric_id: "requests", labels: [] }],
    matches: Uint32Array.from(ids.flatMap((_, i) => [i, 0])),
    values: Float64Array.from(ids, () => 1),
    large: [],
    ...change,
  };
}

function meterOf(customer: string): DurableObjectStub<import("./customer-meter.ts").CustomerMeter> {
  return env.METERS.get(env.METERS.idFromName(meterName("p", customer)));
}

async function total(customer: string): Promise<string | undefined> {
  const { days } = await meterOf(customer).read({ project_id: "p", customer_id: customer, metric_ids: ["requests"], from_day: 0, to_day: 40_000 });
  return days[0]?.value;
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
  await expect(runInDurableObject(meter, (instance) => instance.apply(request(["b"], { customer_id: "theirs" })))).rejects.toThrow("another customer");
  expect(await total("mine")).toBe("1");
});

test("a call writes at most two rows, however many events it carries", async () => {
  const meter = meterOf("rows");
  await meter.apply(request(["first"], { customer_id: "rows" }));
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
      await instance.apply(request(ids, { customer_id: "rows" }));
      counted.push(rows);
    }
    expect(Math.max(...counted)).toBeLessThanOrEqual(2);
    expect(counted.reduce((a, b) => a + b)).toBeGreaterThan(60);
  });
  expect(await total("rows")).toBe("60001");
});
