import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, test, vi } from "vitest";
import {
  address,
  applyEvents,
  ask,
  at,
  commit,
  consume,
  cycles,
  define,
  end,
  grant,
  lease,
  meter,
  report,
  reserve,
  withCustomer,
} from "../../../test/quota-customer.ts";

withCustomer();

async function rowsWritten(work: () => Promise<unknown>): Promise<number> {
  const before = await runInDurableObject(meter(), (_, state) => rowCount(state));
  await work();
  return (await runInDurableObject(meter(), (_, state) => rowCount(state))) - before;
}

const counters = new WeakMap<DurableObjectState, { rows: number }>();
function rowCount(state: DurableObjectState): number {
  let counter = counters.get(state);
  if (counter === undefined) {
    const made = { rows: 0 };
    const exec = state.storage.sql.exec.bind(state.storage.sql);
    state.storage.sql.exec = ((query: string, ...bindings: unknown[]) => {
      const cursor = exec(query, ...bindings);
      if (/^\s*(INSERT|UPDATE|DELETE)/i.test(query)) made.rows += cursor.rowsWritten;
      return cursor;
    }) as typeof exec;
    counter = made;
    counters.set(state, counter);
  }
  return counter.rows;
}

describe("consume", () => {
  test("a hard limit is never passed, and a denial costs nothing", async () => {
    await define({ terms: { base: 10 } });
    const answers = await Promise.all(Array.from({ length: 20 }, () => consume(1)));
    expect(answers.filter(({ allowed }) => allowed)).toHaveLength(10);
    const denied = answers.find(({ allowed }) => !allowed);
    expect(denied).toMatchObject({
      reason: "limit_reached",
      enforcement: "hard",
      limit: "10",
      used: "10",
      remaining: "0",
    });
    expect(await consume(1, { kind: "check" })).toMatchObject({ allowed: false, used: "10" });
  });

  test("the same id gets the first answer, whatever has happened since, also after the object slept", async () => {
    await define({ terms: { base: 10 } });
    const first = await consume(4, { id: "a" });
    const denied = await consume(7, { id: "b" });
    await consume(6);
    expect(await consume(4, { id: "a" })).toEqual({ ...first, duplicate: true });
    await evictDurableObject(meter());
    expect(await consume(4, { id: "a" })).toEqual({ ...first, duplicate: true });
    expect(await consume(7, { id: "b" })).toEqual({ ...denied, duplicate: true });
    expect(await consume(0)).toMatchObject({ used: "10" });
  });

  test("the same id with other content is a conflict", async () => {
    await define();
    await consume(4, { id: "a" });
    const items = [{ metric: "m", amount: 5 }];
    const reply = await ask({
      kind: "consume",
      items,
      properties: null,
      returns: null,
      enforce: true,
      id: "a",
      is_named: true,
    });
    expect(reply).toMatchObject({ kind: "problem", code: "conflict" });
  });

  test("old decisions are found in the rows that they moved to", async () => {
    await define({ terms: { base: 10_000 } });
    const first = await consume(1, { id: "old" });
    for (let i = 0; i < 700; i += 50) await Promise.all(Array.from({ length: 50 }, () => consume(1)));
    await evictDurableObject(meter());
    expect(await consume(1, { id: "old" })).toEqual({ ...first, duplicate: true });
    expect(await consume(0)).toMatchObject({ used: "701" });
  });

  test("several metrics: all of it or nothing", async () => {
    await define({ terms: { base: 10 } });
    await define({ metric: { id: "n" }, terms: { base: 1 } });
    const items = [
      { metric: "m", amount: 1 },
      { metric: "n", amount: 1 },
    ];
    expect(await consume(1, { items })).toMatchObject({ allowed: true, items: [{ metric: "m" }, { metric: "n" }] });
    expect(await consume(1, { items })).toMatchObject({ allowed: false, metric: "n", reason: "limit_reached" });
    expect(await consume(0)).toMatchObject({ used: "1" });
  });

  test("what was admitted without asking counts, even after a denial that nobody heard of, and once", async () => {
    await define({ terms: { base: 5 } });
    expect(await consume(6, { id: "a" })).toMatchObject({ allowed: false });
    for (const duplicate of [undefined, true, true])
      expect(await consume(6, { id: "a", enforce: false })).toMatchObject({
        allowed: true,
        used: "6",
        ...(duplicate === undefined ? {} : { duplicate }),
      });
    await applyEvents([["a", at("2026-01-10T00:00")]]);
    expect(await consume(0)).toMatchObject({ used: "6", overage: "1" });
  });

  test("who is unknown, and who has no allowance, is told so", async () => {
    expect(await consume(1)).toMatchObject({ allowed: false, reason: "unknown_customer" });
    await applyEvents([["e", at("2026-01-10T00:00")]]);
    expect(await consume(1)).toMatchObject({ allowed: false, reason: "no_allowance" });
  });

  test("a plain consume writes two rows at most, a denied one at most one", async () => {
    await define({ terms: { base: 5 } });
    const rows: number[] = [];
    for (let i = 0; i < 5; i++) rows.push(await rowsWritten(() => consume(1)));
    expect(Math.max(...rows)).toBeLessThanOrEqual(2);
    expect(await rowsWritten(() => consume(1))).toBe(1);
    expect(await rowsWritten(() => consume(1, { is_named: false }))).toBe(0);
    expect(await rowsWritten(() => consume(1, { kind: "check" }))).toBe(0);
  });

  test("soft limits admit and say so; charges are never consulted", async () => {
    await define({ type: "limit_recurring", terms: { base: 5 } });
    expect(await consume(4)).toMatchObject({ allowed: true, over_limit: false });
    expect(await consume(3)).toMatchObject({ allowed: true, over_limit: true, overage: "2", remaining: "0" });
    await define({ type: "charge_metered", metric: { id: "n" } });
    const items = [{ metric: "n", amount: 9 }];
    expect(await consume(9, { items })).toMatchObject({ allowed: true, limit: null, used: "9", overage: "0" });
  });

  test("V10, V11: distinct values are counted once a cycle, maxima use nothing up", async () => {
    await define({ metric: { aggregation: "unique", distinct_by: "user" }, terms: { base: 2 } });
    const user = (name: string) => ({ properties: { user: name } });
    for (const name of ["a", "b", "a"]) expect(await consume(1, user(name))).toMatchObject({ allowed: true });
    expect(await consume(1, user("c"))).toMatchObject({ allowed: false, used: "2" });
    await evictDurableObject(meter());
    expect(await consume(1, user("b"))).toMatchObject({ allowed: true, used: "2" });
    vi.setSystemTime(at("2026-02-10T00:00"));
    expect(await consume(1, user("a"))).toMatchObject({ allowed: true, used: "1" });

    await define({ metric: { id: "n", aggregation: "max", value_property: "v" }, terms: { base: 30 } });
    for (const amount of [10, 20, 30]) {
      expect(await consume(1, { items: [{ metric: "n", amount }] })).toMatchObject({ allowed: true });
    }
    expect(await consume(1, { items: [{ metric: "n", amount: 31 }] })).toMatchObject({ allowed: false, used: "30" });
  });

  test("decimals are exact, and what cannot be counted is refused", async () => {
    await define({ metric: { aggregation: "sum", value_property: "v", decimal_places: 2 }, terms: { base: 100 } });
    for (const amount of ["0.1", 0.2]) await consume(amount);
    expect(await consume(0)).toMatchObject({ used: "0.3", remaining: "0.7" });
    const items = [{ metric: "m", amount: "0.001" }];
    const reply = await ask({
      kind: "consume",
      items,
      properties: null,
      returns: null,
      enforce: true,
      id: "z",
      is_named: true,
    });
    expect(reply).toMatchObject({ kind: "problem", code: "invalid_request", pointer: "/amount" });
  });

  test("what is given back returns to who paid", async () => {
    await define({ metric: { aggregation: "sum", value_property: "v" }, type: "limit_recurring" });
    vi.setSystemTime(at("2026-02-10T00:00"));
    expect(await consume(300, { id: "first" })).toMatchObject({ carried: "1000", remaining: "1700" });
    await consume(900);
    expect(await consume(-300, { returns: "first" })).toMatchObject({ remaining: "1100", used: "900" });
    const { balances } = await meter().balances(address());
    expect(JSON.parse(balances[0]?.state ?? "{}")).toMatchObject({
      current: {
        buckets: [
          { id: "base:0", left: 300 },
          { id: "base:1", left: 800 },
        ],
      },
    });
  });

  test("a limit per label is one for each of its values", async () => {
    await define({ metric: { group_by: ["region"] }, terms: { base: 2, per: "region" } });
    const from = (region: string) => ({ properties: { region } });
    for (const region of ["eu", "eu", "us"]) expect(await consume(1, from(region))).toMatchObject({ allowed: true });
    expect(await consume(1, from("eu"))).toMatchObject({ allowed: false });
    expect(await consume(1, from("us"))).toMatchObject({ allowed: true, used: "2" });
  });

  test("five silent months are closed one by one", async () => {
    await define({ type: "limit_recurring", terms: { base: 100 } });
    vi.setSystemTime(at("2026-06-10T00:00"));
    expect(await consume(1)).toMatchObject({
      carried: "500",
      limit: "100",
      cycle: { start: "2026-06-01T00:00:00.000Z" },
    });
    expect((await cycles()).map(({ body }) => (JSON.parse(body) as { index: number }).index)).toEqual([4, 3, 2, 1, 0]);
  });
});

describe("events", () => {
  const now = at("2026-01-10T00:00");

  test("facts use the limit up and are never refused", async () => {
    await define({ terms: { base: 3 } });
    await applyEvents([
      ["a", now],
      ["b", now],
      ["c", now],
      ["d", now],
    ]);
    expect(await consume(1)).toMatchObject({ allowed: false, used: "4", overage: "1", remaining: "0" });
  });

  test("an event with the id of a consume completes it, and is counted once", async () => {
    await define({ metric: { group_by: ["endpoint"] } });
    await consume(1, { id: "a" });
    await applyEvents([
      ["a", now],
      ["b", now],
    ]);
    await applyEvents([
      ["a", now],
      ["b", now],
    ]);
    expect(await consume(0)).toMatchObject({ used: "2" });
    const { days } = await meter().read({
      ...address(),
      metric_ids: ["m", "m:decided"],
      from_day: 0,
      to_day: 40_000,
    });
    expect(days.map(({ metric_id, value, groups }) => [metric_id, value, groups.map(({ labels }) => labels)])).toEqual([
      ["m:decided", "0", []],
      ["m", "2", [["/a"]]],
    ]);
  });

  test("a consume with the id of an event that was counted is a conflict; one that has been admitted counts no more", async () => {
    await define();
    await applyEvents([["a", now]]);
    await expect(consume(1, { id: "a" })).rejects.toThrow("conflict");
    expect(await consume(1, { id: "a", enforce: false })).toMatchObject({ allowed: true, duplicate: true, used: "1" });
  });

  test("an event whose consume was denied counts: it happened", async () => {
    await define({ terms: { base: 0 } });
    expect(await consume(1, { id: "a" })).toMatchObject({ allowed: false });
    await applyEvents([["a", now]]);
    expect(await consume(1)).toMatchObject({ allowed: false, used: "1", overage: "1" });
  });

  test("V5: a late fact reaches the current cycle while the old one is in grace", async () => {
    await define({ type: "limit_recurring", metric: { aggregation: "count" } });
    await consume(700);
    vi.setSystemTime(at("2026-02-01T02:00"));
    expect(await consume(0)).toMatchObject({ carried: "300" });
    await applyEvents([["late", at("2026-01-31T12:00"), 100]]);
    expect(await consume(0)).toMatchObject({ carried: "200", remaining: "1200" });
  });
});

describe("reservations", () => {
  test("V14: a reservation belongs to the cycle that it was made in", async () => {
    await define({ type: "limit_recurring" });
    vi.setSystemTime(at("2026-01-31T23:59"));
    expect(await reserve(100, "r", { ttl_ms: 3_600_000 })).toMatchObject({
      answer: { allowed: true, granted: "100", reserved: "100", remaining: "900" },
    });
    vi.setSystemTime(at("2026-02-01T00:01"));
    expect(await commit("r", { amount: 60 })).toMatchObject({
      answer: { state: "committed", committed: "60", released: "40", carried: "940" },
    });
    expect(await commit("r", { amount: 60 })).toMatchObject({ answer: { committed: "60", duplicate: true } });
    expect(await consume(0)).toMatchObject({ used: "0", carried: "940" });
  });

  test("a filter that only the response satisfies: commit without a match releases", async () => {
    const filters = { and: [{ property: "status", op: "equals", value: 200 }] } as const;
    await define({ metric: { filters } });
    await reserve(5, "a");
    await reserve(5, "b");
    expect(await commit("a", { properties: { status: 500 } })).toMatchObject({ answer: { committed: "0" } });
    expect(await commit("b", { properties: { status: 200 } })).toMatchObject({ answer: { committed: "5" } });
    expect(await consume(0)).toMatchObject({ used: "5", reserved: "0" });
  });

  test("more than was reserved: reject, cap, overflow", async () => {
    await define({ terms: { base: 10 } });
    await reserve(4, "r");
    expect(await commit("r", { amount: 5 })).toMatchObject({ code: "exceeds_reservation" });
    expect(await commit("r", { amount: 5, on_excess: "cap" })).toMatchObject({ answer: { committed: "4" } });
    await reserve(6, "s");
    expect(await commit("s", { amount: 8, on_excess: "overflow" })).toMatchObject({
      answer: { committed: "8", used: "12", overage: "2" },
    });
  });

  test("an expired reservation goes back, and a late commit is told so", async () => {
    await define({ terms: { base: 10 } });
    await reserve(10, "r");
    expect(await consume(1)).toMatchObject({ allowed: false, reserved: "10" });
    vi.setSystemTime(at("2026-01-10T00:01"));
    expect(await consume(1)).toMatchObject({ allowed: true, reserved: "0" });
    expect(await commit("r")).toMatchObject({ code: "reservation_expired" });
    expect(await commit("nobody")).toMatchObject({ code: "not_found" });
    await reserve(9, "s", { on_expiry: "charge" });
    vi.setSystemTime(at("2026-01-10T00:03"));
    expect(await consume(0)).toMatchObject({ used: "10" });
  });

  test("extended while it runs, it lasts", async () => {
    await define({ terms: { base: 10 } });
    await reserve(10, "r");
    vi.setSystemTime(at("2026-01-10T00:00:50"));
    expect(await ask({ kind: "extend", reservation: "r", ttl_ms: 60_000 })).toMatchObject({
      answer: { state: "held" },
    });
    vi.setSystemTime(at("2026-01-10T00:01:40"));
    await evictDurableObject(meter());
    expect(await commit("r")).toMatchObject({ answer: { committed: "10" } });
  });

  test("the event of a reservation counts once, before the commit or after it", async () => {
    await define();
    for (const id of ["before", "after"]) await reserve(1, id);
    await applyEvents([["before", at("2026-01-10T00:00")]]);
    await commit("before");
    await commit("after");
    await applyEvents([["after", at("2026-01-10T00:00")]]);
    expect(await consume(0)).toMatchObject({ used: "2", reserved: "0" });
  });
});

describe("leases", () => {
  test("V13: grants shrink with what remains", async () => {
    await define({ terms: { base: 100 } });
    await consume(90);
    const grants = [];
    for (const id of ["a", "b", "c"]) grants.push(await lease(8, id));
    expect(grants).toMatchObject([
      { answer: { granted: "8" } },
      { answer: { granted: "2" } },
      { answer: { granted: "0" } },
    ]);
  });

  test("a report counts once, and a renewal keeps what is left", async () => {
    await define({ terms: { base: 100 } });
    expect(await lease(10, "l")).toMatchObject({
      answer: { granted: "10", sequence: 1, remaining: "90", ttl_ms: 60_000 },
    });
    expect(await lease(10, "l")).toMatchObject({ answer: { granted: "10", sequence: 1, duplicate: true } });
    const renewed = { answer: { granted: "20", sequence: 2, remaining: "74" } };
    expect(await report("l", 1, 6, 20)).toMatchObject(renewed);
    expect(await report("l", 1, 6, 20)).toMatchObject(renewed);
    await evictDurableObject(meter());
    expect(await report("l", 2, 5, null)).toMatchObject({ answer: { granted: "0", sequence: 3, remaining: "89" } });
    expect(await report("l", 2, 5, null)).toMatchObject({ answer: { sequence: 3, duplicate: true } });
    expect(await report("l", 1, 6, 20)).toMatchObject({ code: "stale_sequence" });
    expect(await consume(0)).toMatchObject({ used: "11", reserved: "0" });
  });

  test("a lease ends two seconds before its cycle; unreported it counts as used", async () => {
    await define({ terms: { base: 100 } });
    vi.setSystemTime(at("2026-01-31T23:59:30"));
    expect(await lease(10, "l")).toMatchObject({ answer: { ttl_ms: 28_000 } });
    vi.setSystemTime(at("2026-02-01T00:00:00"));
    expect(await consume(0)).toMatchObject({ remaining: "100", reserved: "0" });
    vi.setSystemTime(at("2026-03-01T00:00:00"));
    await consume(0);
    expect(JSON.parse((await cycles()).at(-1)?.body ?? "{}")).toMatchObject({ index: 0, used: 10 });
  });

  test("an empty lease can be renewed, and then keeps what it got", async () => {
    await define({ terms: { base: 10 } });
    await consume(10, { id: "all" });
    expect(await lease(5, "l")).toMatchObject({ answer: { granted: "0", reason: "limit_reached" } });
    await define({ terms: { base: 20 } });
    expect(await report("l", 1, 0, 5)).toMatchObject({ answer: { granted: "5" } });
    vi.setSystemTime(at("2026-01-10T02:00"));
    expect(await consume(0)).toMatchObject({ reserved: "5", remaining: "5" });
  });

  test("where the limit says so, what nobody reports comes back, and the answer warns", async () => {
    await define({ terms: { base: 10 } });
    expect(await lease(10, "l", { return_after_ms: 60_000 })).toMatchObject({ answer: { may_overshoot: true } });
    vi.setSystemTime(at("2026-01-10T00:01:30"));
    expect(await consume(1)).toMatchObject({ allowed: false });
    vi.setSystemTime(at("2026-01-10T00:02"));
    expect(await consume(1)).toMatchObject({ allowed: true });
  });
});

describe("what people set", () => {
  test("V6: a lowered limit holds from the next decision on; a top-up adds to it", async () => {
    await define({ type: "limit_recurring", terms: { enforcement: "hard" } });
    await consume(800);
    await define({ type: "limit_recurring", terms: { enforcement: "hard", base: 500 } });
    expect(await consume(1)).toMatchObject({ allowed: false, limit: "500", remaining: "0", overage: "0" });
    for (let i = 0; i < 2; i++) await grant(5, "t");
    expect(await consume(5)).toMatchObject({ allowed: true, carried: "5", remaining: "0" });
    expect(await grant(-1, "u")).toMatchObject({
      code: "conflict",
    });
    vi.setSystemTime(at("2026-02-10T00:00"));
    expect(await consume(0)).toMatchObject({ limit: "500", carried: "0" });
  });

  test("V12: a threshold is crossed once a cycle, and a jump crosses all of them", async () => {
    const line = (units: number) =>
      ({ id: `t${units}`, version: 1, name: null, operator: ">=", line: { units } }) as const;
    const thresholds = [line(800), { ...line(90), id: "pct", line: { percent: 90 } }];
    await define({ metric: { aggregation: "sum", value_property: "v" }, thresholds });
    await consume(799);
    expect(await consume(2)).toMatchObject({ thresholds_crossed: [{ threshold_id: "t800", value: "801" }] });
    expect(await consume(-11)).not.toHaveProperty("thresholds_crossed");
    expect(await consume(20)).not.toHaveProperty("thresholds_crossed");
    vi.setSystemTime(at("2026-02-10T00:00"));
    expect(await consume(950)).toMatchObject({
      thresholds_crossed: [{ threshold_id: "t800" }, { threshold_id: "pct" }],
    });
  });

  test("a balance that is cancelled allows nothing more", async () => {
    await define();
    expect(await end()).toMatchObject({
      kind: "done",
    });
    expect(await consume(1)).toMatchObject({ allowed: false, reason: "no_allowance" });
    await evictDurableObject(meter());
    await define({ definition: { id: "alw_again" } });
    expect(await consume(1)).toMatchObject({ allowed: true });
  });
});
