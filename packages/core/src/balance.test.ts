import { describe, expect, test } from "vitest";
import { Balance } from "./balance.ts";
import type { Exact } from "./exact.ts";
import { defaultsOf, type Terms } from "./terms.ts";

const MONTHLY = {
  interval: { count: 1, period: "months" },
  anchor: Date.parse("2026-01-01T00:00:00Z"),
  time_zone: "UTC",
} as const;
const at = (text: string): number => Date.parse(`${text}Z`);
const DAY = 86_400_000;

function recurring(changes: Partial<Terms> = {}, carryover: Partial<Terms["carryover"]> = {}): Terms {
  const defaults = defaultsOf("limit_recurring");
  return {
    ...defaults,
    base: 1000,
    aggregation: "sum",
    schedule: MONTHLY,
    by_segment: false,
    per: null,
    ...changes,
    carryover: { cap: null, expires_after: null, overage: "forgive", ...carryover },
  };
}

const metered = (changes: Partial<Terms> = {}): Terms => ({
  ...recurring(),
  ...defaultsOf("limit_metered"),
  ...changes,
});

function use(balance: Balance, units: Exact, now: number): void {
  balance.advance(now);
  balance.consume(units, now, 0);
}

function fact(balance: Balance, units: Exact, instant: number, now: number): string {
  balance.advance(now);
  return balance.fact(() => units, instant, 0);
}

function available(balance: Balance, now: number): Exact | null {
  balance.advance(now);
  return balance.view().remaining;
}

function expectBalanced(balance: Balance): void {
  const { granted, burned, expired, forfeited, repaid, held } = balance.tally();
  expect(BigInt(granted)).toBe(BigInt(burned) + BigInt(expired) + BigInt(forfeited) + BigInt(repaid) + BigInt(held));
}

describe("carryover", () => {
  test("V1: unused units carry over", () => {
    const balance = Balance.begin(recurring(), at("2026-01-01T00:00"));
    expect(available(balance, at("2026-01-01T00:00"))).toBe(1000);
    use(balance, 700, at("2026-01-10T00:00"));
    expect(available(balance, at("2026-02-01T00:00"))).toBe(1300);
    use(balance, 900, at("2026-02-10T00:00"));
    expect(available(balance, at("2026-03-01T00:00"))).toBe(1400);
    expectBalanced(balance);
  });

  test("V2: what exceeds the cap is forfeited", () => {
    const balance = Balance.begin(recurring({}, { cap: { units: 500 } }), at("2026-01-01T00:00"));
    use(balance, 100, at("2026-01-10T00:00"));
    expect(available(balance, at("2026-02-01T00:00"))).toBe(1500);
    expect(balance.tally().forfeited).toBe(400);
    expectBalanced(balance);
  });

  test("V3: carried units expire after their cycles", () => {
    const balance = Balance.begin(recurring({}, { expires_after: 1 }), at("2026-01-01T00:00"));
    use(balance, 700, at("2026-01-10T00:00"));
    expect(available(balance, at("2026-03-01T00:00"))).toBe(2000);
    expect(balance.tally().expired).toBe(300);
    expectBalanced(balance);
  });

  test("V4: three silent cycles are closed one by one", () => {
    const balance = Balance.begin(recurring({}, { cap: { units: 2000 } }), at("2026-01-01T00:00"));
    expect(available(balance, at("2026-04-01T00:00"))).toBe(3000);
    expect(balance.takeClosed().map(({ index }) => index)).toEqual([0, 1]);
    expect(balance.state.previous?.index).toBe(2);
    expectBalanced(balance);
  });

  test("a cap of 0 carries nothing and touches no other bucket", () => {
    const balance = Balance.begin(recurring({}, { cap: { units: 0 } }), at("2026-01-01T00:00"));
    balance.grant({ id: "t", kind: "top_up", expires_at: null, reason: "sorry", units: 50 });
    expect(available(balance, at("2026-02-01T00:00"))).toBe(1050);
    expectBalanced(balance);
  });
});

describe("late facts", () => {
  test.each(["before", "after"])("V5: a late fact that comes %s the use of the next cycle reaches it", (when) => {
    for (const [overage, march] of [
      ["debit", 950],
      ["forgive", 1000],
    ] as const) {
      const balance = Balance.begin(recurring({}, { overage }), at("2026-01-01T00:00"));
      use(balance, 700, at("2026-01-10T00:00"));
      if (when === "after") fact(balance, 1250, at("2026-02-01T01:00"), at("2026-02-01T01:00"));
      expect(fact(balance, 100, at("2026-01-31T12:00"), at("2026-02-01T02:00"))).toBe("late");
      if (when === "before") {
        expect(available(balance, at("2026-02-01T02:00"))).toBe(1200);
        fact(balance, 1250, at("2026-02-01T03:00"), at("2026-02-01T03:00"));
      }
      const view = balance.view();
      expect([view.remaining, view.overage]).toEqual([0, 50]);
      expect(available(balance, at("2026-03-01T00:00"))).toBe(march);
      expect(balance.view().limit).toBe(march);
      expectBalanced(balance);
    }
  });

  test.each([
    ["adjust", 900, [{ cycle_start: at("2026-01-01T00:00"), units: 100 }], 0],
    ["current", 900, [], 0],
    ["reject", 1000, [], 100],
  ] as const)("after the grace: %s", (late, remaining, adjustments, rejected) => {
    const balance = Balance.begin(metered({ late }), at("2026-01-01T00:00"));
    fact(balance, 100, at("2026-01-31T12:00"), at("2026-02-02T00:00"));
    expect(balance.view().remaining).toBe(remaining);
    expect(balance.state.current.adjustments).toEqual(adjustments);
    expect(balance.state.rejected_late).toBe(rejected);
    expectBalanced(balance);
  });
});

describe("changes in the middle of a cycle", () => {
  test("a late fact is about the cycle that there was then", () => {
    const balance = Balance.begin(metered(), at("2026-01-01T00:00"));
    balance.advance(at("2026-02-05T12:00"));
    const schedule = { ...MONTHLY, anchor: at("2026-02-05T12:00") };
    balance.change({ ...balance.terms, schedule }, "restart", at("2026-02-05T12:00"));
    fact(balance, 50, at("2026-01-04T00:00"), at("2026-02-08T00:00"));
    expect(balance.state.current.adjustments).toEqual([{ cycle_start: at("2026-01-01T00:00"), units: 50 }]);
  });

  test("V6: a limit lowered below its use leaves nothing, no debt and nothing to carry", () => {
    const balance = Balance.begin(recurring({ enforcement: "hard" }, { overage: "debit" }), at("2026-01-01T00:00"));
    use(balance, 800, at("2026-01-10T00:00"));
    balance.change({ ...balance.terms, base: 500 }, "keep", at("2026-01-11T00:00"));
    expect(balance.view()).toMatchObject({ limit: 500, remaining: 0, overage: 0 });
    expect(balance.admits(1)).toBe(false);
    expect(available(balance, at("2026-02-01T00:00"))).toBe(500);
    expectBalanced(balance);
  });

  test("raised again, it is what it was; what is returned in between does not come back twice", () => {
    const balance = Balance.begin(metered(), at("2026-01-01T00:00"));
    use(balance, 800, at("2026-01-10T00:00"));
    balance.change({ ...balance.terms, base: 500 }, "keep", at("2026-01-11T00:00"));
    use(balance, -400, at("2026-01-12T00:00"));
    expect(balance.view().remaining).toBe(100);
    balance.change({ ...balance.terms, base: 1000 }, "keep", at("2026-01-13T00:00"));
    expect(balance.view().remaining).toBe(600);
    expectBalanced(balance);
  });

  test("prorate gives each base for its share of time", () => {
    const balance = Balance.begin(metered(), at("2026-04-01T00:00"));
    balance.change({ ...balance.terms, base: 4000 }, "prorate", at("2026-04-16T00:00"));
    expect(balance.view().remaining).toBe(2500);
    expect(available(balance, at("2026-05-01T00:00"))).toBe(4000);
    expectBalanced(balance);
  });

  test("restart closes the cycle now and keeps what it carries", () => {
    const balance = Balance.begin(recurring(), at("2026-01-01T00:00"));
    use(balance, 700, at("2026-01-10T00:00"));
    const now = at("2026-01-15T00:00");
    balance.change({ ...balance.terms, base: 2000, schedule: { ...MONTHLY, anchor: now } }, "restart", now);
    expect(balance.view()).toMatchObject({ remaining: 2300, cycle: { start: now, end: at("2026-02-15T00:00") } });
    expectBalanced(balance);
  });

  test("another zone begins with the next cycle", () => {
    const balance = Balance.begin(metered(), at("2026-01-01T00:00"));
    const schedule = { ...MONTHLY, time_zone: "America/New_York", anchor: at("2026-01-01T05:00") };
    balance.change({ ...balance.terms, schedule }, "keep", at("2026-01-15T00:00"));
    expect(balance.view().cycle.end).toBe(at("2026-02-01T00:00"));
    balance.advance(at("2026-02-01T00:00"));
    expect(balance.view().cycle).toEqual({ start: at("2026-02-01T00:00"), end: at("2026-02-01T05:00") });
    balance.advance(at("2026-02-01T05:00"));
    expect(balance.view().cycle.end).toBe(at("2026-03-01T05:00"));
  });

  test("a cancelled balance freezes its buckets and forfeits them with the grace", () => {
    const balance = Balance.begin(recurring(), at("2026-01-01T00:00"));
    use(balance, 300, at("2026-01-10T00:00"));
    balance.end(at("2026-01-15T00:00"));
    expect(balance.admits(1)).toBe(false);
    expect(balance.tally().held).toBe(700);
    balance.advance(at("2026-01-16T00:00"));
    expect(balance.tally()).toMatchObject({ held: 0, forfeited: 700 });
    expect(balance.state.is_final).toBe(true);
    expectBalanced(balance);
  });
});

describe("aggregations", () => {
  test("V7: returned units are used again before new ones", () => {
    const balance = Balance.begin(metered(), at("2026-01-01T00:00"));
    for (const units of [5, -10, 5]) use(balance, units, at("2026-01-02T00:00"));
    expect(balance.view()).toMatchObject({ used: 0, remaining: 1000 });
    expectBalanced(balance);
  });

  test("V11: a maximum uses nothing up", () => {
    const balance = Balance.begin(metered({ aggregation: "max", base: 30 }), at("2026-01-01T00:00"));
    for (const units of [10, 20, 30]) {
      expect(balance.admits(units)).toBe(true);
      use(balance, units, at("2026-01-02T00:00"));
    }
    expect(balance.admits(31)).toBe(false);
    expect(balance.admits(30)).toBe(true);
    expect(balance.view()).toMatchObject({ used: 30, remaining: 0 });
    balance.advance(at("2026-02-01T00:00"));
    expect(balance.view()).toMatchObject({ used: 0, remaining: 30 });
    expectBalanced(balance);
  });

  test("V15: a total that never resets, and what each cycle added", () => {
    const terms = { ...metered(), ...defaultsOf("charge_recurring"), base: null };
    const balance = Balance.begin(terms, at("2026-01-01T00:00"));
    use(balance, 100, at("2026-01-10T00:00"));
    use(balance, 50, at("2026-02-10T00:00"));
    use(balance, -30, at("2026-03-10T00:00"));
    balance.advance(at("2026-06-01T00:00"));
    const closed = balance.takeClosed().slice(0, 3);
    expect(closed.map(({ used }) => used)).toEqual([100, 150, 120]);
    expect(closed.map(({ used, used_before }) => Number(used) - Number(used_before))).toEqual([100, 50, -30]);
  });
});

describe("holds", () => {
  const ending = { on_expiry: "release", expires_at: at("2026-02-01T10:00") } as const;

  test("V14: a reservation belongs to the cycle it was made in", () => {
    const balance = Balance.begin(recurring(), at("2026-01-01T00:00"));
    balance.advance(at("2026-01-31T23:59"));
    const hold = balance.hold("r", 100, ending);
    expect(balance.view()).toMatchObject({ remaining: 900, reserved: 100 });
    balance.advance(at("2026-02-01T00:01"));
    expect(balance.view()).toMatchObject({ remaining: 1900, reserved: 0 });
    balance.useHeld(hold, 60, 0);
    balance.endHold("r");
    expect(balance.state.previous).toMatchObject({ used: 60, burned: 60 });
    expect(balance.view()).toMatchObject({ remaining: 1940, used: 0 });
    expectBalanced(balance);
  });

  test("an expired reservation goes back where it came from", () => {
    const balance = Balance.begin(metered(), at("2026-01-01T00:00"));
    balance.hold("r", 100, { ...ending, expires_at: at("2026-01-01T01:00") });
    expect(available(balance, at("2026-01-01T00:59"))).toBe(900);
    expect(available(balance, at("2026-01-01T01:00"))).toBe(1000);
    expectBalanced(balance);
  });

  test("V13: leases shrink with what remains", () => {
    const balance = Balance.begin(metered({ base: 100 }), at("2026-01-01T00:00"));
    use(balance, 90, at("2026-01-02T00:00"));
    const grants = ["a", "b", "c"].map((id) => {
      const units = Math.min(8, Number(balance.view().remaining));
      return Number(balance.hold(id, units, { on_expiry: "stay", expires_at: at("2026-01-02T01:00") }).units);
    });
    expect(grants).toEqual([8, 2, 0]);
    expectBalanced(balance);
  });

  test("a lease that nobody reports counts as used when its cycle is final", () => {
    const balance = Balance.begin(recurring(), at("2026-01-01T00:00"));
    balance.hold("l", 100, { on_expiry: "stay", expires_at: at("2026-01-01T01:00") });
    expect(available(balance, at("2026-02-01T00:00") + DAY)).toBe(1900);
    balance.advance(at("2026-03-01T00:00"));
    expect(balance.takeClosed()[0]).toMatchObject({ used: 100 });
    expectBalanced(balance);
  });
});
