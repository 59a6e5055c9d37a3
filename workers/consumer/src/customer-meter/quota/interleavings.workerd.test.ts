import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, test, vi } from "vitest";
import {
  address,
  applyEvents,
  ask,
  at,
  balances,
  commit,
  consume,
  counted,
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

// What happens in an unlucky order, comes twice, or comes late.

withCustomer();

const NOW = at("2026-01-10T00:00");
const sold = (product: string) => ({
  id: `sub_${product}`,
  product: { id: product, slug: product, name: product, prices: [], charge_on: "total", segments: [] } as const,
});

describe("one id", () => {
  test("in one commit is one decision, also the first that a meter makes", async () => {
    await define();
    const both = await Promise.all([consume(4, { id: "a" }), consume(4, { id: "a" })]);
    expect(both.filter(({ duplicate }) => duplicate === true)).toHaveLength(1);
    expect(await consume(0)).toMatchObject({ used: "4" });
  });

  test("of an event of another metric opens no limit", async () => {
    await define({ terms: { base: 10 } });
    await applyEvents([["a", NOW]], { metric: "other" });
    await expect(consume(1_000_000, { id: "a" })).rejects.toThrow("conflict");
    expect(await consume(0)).toMatchObject({ used: "0" });
  });

  test("of an event of another metric takes nothing from a reservation", async () => {
    await define();
    await reserve(10, "r");
    await applyEvents([["r", NOW]], { metric: "other" });
    expect(await commit("r")).toMatchObject({ answer: { committed: "10" } });
  });

  test.each(["before", "after"])(
    "of a reservation that is charged when it expires counts once, its event coming %s",
    async (when) => {
      await define();
      await reserve(10, "r", { on_expiry: "charge" });
      if (when === "before") await applyEvents([["r", NOW, 10]]);
      vi.setSystemTime(at("2026-01-10T00:02"));
      await consume(0);
      if (when === "after") await applyEvents([["r", NOW, 10]]);
      expect(await consume(0)).toMatchObject({ used: "10", reserved: "0" });
      const { m = 0, "m:decided": decided = 0 } = await counted("m", "m:decided");
      expect(m + decided).toBe(10);
    },
  );

  test("is given back once, by its metric, and no more than was used", async () => {
    await define({ terms: { base: 10 } });
    await consume(5, { id: "a" });
    for (const [amount, returns] of [
      [-6, "a"],
      [-1, "unknown"],
      [1, "a"],
    ] as const)
      await expect(consume(amount, { returns })).rejects.toThrow("/returns");
    expect(await consume(-5, { id: "back", returns: "a" })).toMatchObject({ used: "0" });
    expect(await consume(-5, { id: "back", returns: "a" })).toMatchObject({ duplicate: true });
    await expect(consume(-5, { returns: "a" })).rejects.toThrow("has been given back");
  });

  test("of a reservation that was denied, and used all the same, counts once with its event", async () => {
    await define({ terms: { base: 5 } });
    expect(await reserve(8, "r")).toMatchObject({ answer: { allowed: false } });
    await consume(8, { id: "r", enforce: false });
    await applyEvents([["r", NOW, 8]]);
    expect(await consume(0)).toMatchObject({ used: "8" });
  });

  test("means the same however its amount is written", async () => {
    await define();
    await consume(1, { id: "a" });
    expect(await consume("1.0", { id: "a" })).toMatchObject({ duplicate: true });
  });
});

describe("what was admitted without the meter", () => {
  const queue = (...consumed: readonly object[]) =>
    applyEvents([], {
      consumed: consumed.map((one) => ({
        at: NOW,
        items: [{ metric: "m", amount: 3 }],
        properties: null,
        id: "u",
        ...one,
      })),
    });

  test("counts once, also when it was denied, or its meter is full", async () => {
    await define({ terms: { base: 2 } });
    await consume(3, { id: "u" });
    await queue({});
    await queue({});
    expect(await consume(0)).toMatchObject({ used: "3", overage: "1" });
  });

  test("commits a reservation whose answer was lost", async () => {
    await define();
    await reserve(4, "u");
    await queue({});
    await queue({});
    expect(await consume(0)).toMatchObject({ used: "3", reserved: "0" });
  });

  test("of distinct values counts the value", async () => {
    await define({ metric: { aggregation: "unique", distinct_by: "user" } });
    await consume(1, { properties: { user: "a" } });
    await queue({ properties: { user: "a" } }, { id: "v", properties: { user: "b" } });
    expect(await consume(1, { kind: "check", properties: { user: "a" } })).toMatchObject({ used: "2" });
  });
});

describe("what ends by itself", () => {
  test("is counted among the days, and crosses thresholds", async () => {
    const thresholds = [{ id: "t", version: 1, name: null, operator: ">=", line: { units: 80 } }] as const;
    await define({ thresholds });
    await reserve(90, "r", { on_expiry: "charge" });
    vi.setSystemTime(at("2026-01-10T00:02"));
    await consume(1);
    expect(await counted("m:decided")).toEqual({ "m:decided": 91 });
    const { crossings } = await runInDurableObject(meter(), (_, state) => {
      const [row] = state.storage.sql.exec<{ quotas: string }>("SELECT quotas FROM head").toArray();
      return JSON.parse(row?.quotas ?? "{}") as { crossings: readonly { threshold_id: string }[] };
    });
    expect(crossings.map(({ threshold_id }) => threshold_id)).toEqual(["t"]);
  });

  test("facts that were ahead of the clock cross the thresholds of their cycle", async () => {
    const thresholds = [{ id: "t", version: 1, name: null, operator: ">=", line: { units: 80 } }] as const;
    await define({ thresholds });
    vi.setSystemTime(at("2026-01-31T23:59"));
    await applyEvents([["a", at("2026-02-01T00:01"), 90]]);
    vi.setSystemTime(at("2026-02-01T00:02"));
    await consume(1);
    const text = await runInDurableObject(meter(), (_, state) =>
      state.storage.sql.exec("SELECT quotas FROM head").one(),
    );
    expect(JSON.stringify(text)).toContain("t:1:");
  });

  test("a lease that came back is still counted when its holder reports, once", async () => {
    await define();
    await lease(10, "l", { return_after_ms: 60_000 });
    vi.setSystemTime(at("2026-01-10T00:05"));
    expect(await consume(0)).toMatchObject({ reserved: "0" });
    for (let i = 0; i < 2; i++)
      expect(await report("l", 1, 7, null)).toMatchObject({ answer: { granted: "0", may_overshoot: true } });
    expect(await consume(0)).toMatchObject({ used: "7" });
  });
});

describe("leases", () => {
  test("are not granted again once they are closed", async () => {
    await define({ terms: { base: 10 } });
    await lease(10, "l");
    await report("l", 1, 2, null);
    await consume(8);
    expect(await lease(10, "l")).toMatchObject({ answer: { granted: "0", ttl_ms: 0, duplicate: true } });
  });

  test("asked for again, are what they are now", async () => {
    await define({ terms: { base: 100 } });
    await lease(10, "l");
    await report("l", 1, 6, 20);
    expect(await lease(10, "l")).toMatchObject({ answer: { granted: "20", sequence: 2, duplicate: true } });
  });

  test("are reported once by a key, where no sequence is said", async () => {
    await define();
    await lease(10, "l");
    for (let i = 0; i < 2; i++) await report("l", null, 5, 10, "the same");
    expect(await consume(0)).toMatchObject({ used: "5" });
  });

  test("are renewed within limits that began after them", async () => {
    await define();
    await lease(10, "l");
    await define({ definition: { id: "alw_later" }, terms: { base: 15 } });
    expect(await report("l", 1, 5, 500)).toMatchObject({ answer: { granted: "15", remaining: "0" } });
  });

  test("get nothing more of what was cancelled", async () => {
    await define();
    await lease(10, "l");
    await end();
    expect(await report("l", 1, 5, 500)).toMatchObject({ answer: { granted: "0", reason: "no_allowance" } });
  });

  test("never get what is promised to a reservation", async () => {
    await define({ type: "limit_recurring", terms: { base: 100, enforcement: "hard" } });
    vi.setSystemTime(at("2026-02-01T00:10"));
    await reserve(200, "r", { ttl_ms: 3_600_000 });
    await applyEvents([["late", at("2026-01-31T00:00"), 100]]);
    await grant(50, "t");
    expect(await lease(50, "l")).toMatchObject({ answer: { granted: "0" } });
  });

  test("that are empty take no place", async () => {
    await define({ terms: { base: 0 } });
    await Promise.all(Array.from({ length: 510 }, (_, i) => lease(1, `l${i}`)));
    await grant(10, "t");
    expect(await reserve(1, "r")).toMatchObject({ answer: { allowed: true } });
  });
});

describe("terms that change", () => {
  test("leave an ended cycle to those that it was run under", async () => {
    await define({ definition: sold("a") });
    await consume(5);
    const schedule = { interval: { count: 1, period: "months" }, anchor: NOW, time_zone: "UTC" } as const;
    await define({ definition: sold("b"), terms: { schedule }, replaces: "sub_a", mode: "restart" });
    expect((await balances())[0]).toMatchObject({ previous_definition: { id: "sub_a" }, definition: { id: "sub_b" } });
    vi.setSystemTime(at("2026-01-20T00:00"));
    expect(await cycles()).toMatchObject([{ balance_id: "sub_a", definition: { product: { slug: "a" } } }]);
  });

  test("that take the place of something twice are set once", async () => {
    await define({ definition: sold("a") });
    await consume(5);
    const change = { definition: sold("b"), replaces: "sub_a" };
    await define(change);
    await define(change);
    expect(await balances()).toMatchObject([{ definition: { id: "sub_b" }, view: { used: 5 } }]);
    expect(await define({ definition: sold("c"), replaces: "sub_a" })).toMatchObject({ code: "conflict" });
  });

  test("that begin the cycle anew, sent again a little later, do so once", async () => {
    await define({ type: "limit_recurring", terms: { base: 100 } });
    const restart = async (time: string) => {
      vi.setSystemTime(at(time));
      const schedule = { interval: { count: 1, period: "months" }, anchor: at(time), time_zone: "UTC" } as const;
      return define({ type: "limit_recurring", terms: { base: 200, schedule }, mode: "restart" });
    };
    await restart("2026-01-10T01:00");
    await restart("2026-01-10T01:00:02");
    expect(await consume(0)).toMatchObject({ limit: "200", carried: "100" });
  });

  test("that were made up from what has changed since are refused", async () => {
    await define({ terms: { base: 100 } });
    const [before] = await balances();
    if (before === undefined) throw new Error("There is a balance.");
    expect(await define({ terms: { base: 20 } }, before.definition)).toMatchObject({ kind: "done" });
    expect(await define({ terms: { base: 30 } }, before.definition)).toMatchObject({ code: "conflict" });
    expect(await consume(0)).toMatchObject({ limit: "20" });
    const [now] = await balances();
    await end();
    expect(await define({ terms: { base: 40 } }, now?.definition)).toMatchObject({ code: "conflict" });
  });

  test("a top-up's id means one top-up", async () => {
    await define();
    await grant(5, "t");
    expect(await grant(5, "t")).toMatchObject({ kind: "done", balance: { view: { carried: 5 } } });
    expect(await grant(6, "t")).toMatchObject({ code: "conflict" });
  });

  test("leave known values known", async () => {
    const metric = { aggregation: "unique", distinct_by: "user" } as const;
    await define({ definition: sold("a"), metric, terms: { base: 2 } });
    for (const user of ["a", "b"]) await consume(1, { properties: { user } });
    await define({ definition: sold("b"), metric, terms: { base: 2 }, replaces: "sub_a" });
    expect(await consume(1, { properties: { user: "a" } })).toMatchObject({ allowed: true, used: "2" });
  });

  test("a balance that was cancelled still gets what happened before, and comes to its end", async () => {
    await define();
    vi.setSystemTime(at("2026-01-10T01:00"));
    await end();
    await applyEvents([
      ["a", at("2026-01-10T00:30")],
      ["b", at("2026-01-10T01:30")],
    ]);
    expect(await balances()).toMatchObject([{ view: { used: 1 } }]);
    vi.setSystemTime(at("2026-04-10T01:00"));
    await applyEvents([["c", at("2026-04-10T01:00")]], { metric: "other" });
    expect(await cycles()).toMatchObject([{ balance_id: "alw_m" }]);
    expect(await balances()).toEqual([]);
  });

  test("the cycles of a customer who is silent can be read", async () => {
    await define();
    await consume(5);
    vi.setSystemTime(at("2026-04-10T00:00"));
    await balances();
    await evictDurableObject(meter());
    expect((await cycles()).map(({ body }) => (JSON.parse(body) as { used: number }).used)).toEqual([0, 0, 5]);
  });
});

describe("a limit per label", () => {
  test("is reserved by label; it is neither leased nor topped up as a whole", async () => {
    await define({ metric: { group_by: ["region"] }, terms: { base: 2, per: "region" } });
    await consume(2, { properties: { region: "eu" } });
    expect(await reserve(1, "r", { properties: { region: "eu" } })).toMatchObject({ answer: { allowed: false } });
    expect(await reserve(1, "s", { properties: { region: "us" } })).toMatchObject({ answer: { allowed: true } });
    expect(await lease(1, "l")).toMatchObject({ code: "invalid_request" });
    expect(await grant(1, "t")).toMatchObject({ code: "conflict" });
  });

  test("takes no place for labels that were only asked about", async () => {
    await define({ metric: { group_by: ["region"] }, terms: { base: 1, per: "region" } });
    for (let i = 0; i < 120; i++) await consume(1, { kind: "check", properties: { region: `made-up-${i}` } });
    for (const region of ["eu", "us"])
      expect(await consume(1, { properties: { region } })).toMatchObject({ allowed: true });
    expect(await balances()).toHaveLength(3);
  });
});

describe("memory", () => {
  test("a storm of denials leaves the row small, and every one of them is remembered", async () => {
    await define({ terms: { base: 0 } });
    for (let from = 0; from < 3_000; from += 100)
      await Promise.all(Array.from({ length: 100 }, (_, i) => consume(1, { id: `d${from + i}` })));
    const size = await runInDurableObject(meter(), (_, state) => {
      const columns = "LENGTH(state) + LENGTH(quotas) + LENGTH(decisions) + LENGTH(decision_ids) + LENGTH(members)";
      return state.storage.sql.exec<{ size: number }>(`SELECT ${columns} AS size FROM head`).one().size;
    });
    expect(size).toBeLessThan(300_000);
    await evictDurableObject(meter());
    for (const id of ["d0", "d1500", "d2999"]) expect(await consume(1, { id })).toMatchObject({ duplicate: true });
  });

  test("a metric that is gone is not asked for again", async () => {
    await define();
    expect(await ask({ kind: "release", reservation: "x", catalog_version: 7 })).toMatchObject({
      wants_metrics: ["m"],
    });
    await meter().learn(address(), [], ["m"], 7);
    expect(await ask({ kind: "release", reservation: "x", catalog_version: 7 })).not.toHaveProperty("wants_metrics");
  });
});
