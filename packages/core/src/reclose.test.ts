import { describe, expect, test } from "vitest";
import { Balance } from "./balance.ts";
import type { Exact } from "./exact.ts";
import { defaultsOf, type Terms } from "./terms.ts";

const DAY = 86_400_000;
const HOUR = 3_600_000;
const START = Date.parse("2026-01-01T00:00Z");
/** When the second cycle begins. */
const NEXT = START + 10 * DAY;
const LEASE = { on_expiry: "stay", expires_at: NEXT } as const;

function limit(changes: Partial<Terms> = {}, carryover: Partial<Terms["carryover"]> = {}): Terms {
  return {
    ...defaultsOf("limit_recurring"),
    base: 100,
    aggregation: "sum",
    schedule: { interval: { count: 10, period: "days" }, anchor: START, time_zone: "UTC" },
    by_segment: false,
    per: null,
    carryover: { cap: null, expires_after: null, overage: "forgive", ...carryover },
    ...changes,
  };
}

/** A balance in its second cycle, with so much used in the first. */
function second(terms: Terms, used: Exact): Balance {
  const balance = Balance.begin(terms, START);
  balance.consume(used, START, 0);
  balance.advance(NEXT);
  return balance;
}

/** A fact of the first cycle that comes when the second has begun. */
function late(balance: Balance, units: Exact): void {
  balance.fact(() => units, NEXT - 1, 0);
  const { granted, burned, expired, forfeited, repaid, held } = balance.tally();
  expect(granted).toBe([burned, expired, forfeited, repaid, held].reduce<number>((sum, part) => sum + Number(part), 0));
}

const topUp = (id: string, units: Exact, expiresAt: number | null): Parameters<Balance["grant"]>[0] => ({
  id,
  kind: "top_up",
  expires_at: expiresAt,
  reason: "sorry",
  units,
});

describe("what a late fact takes", () => {
  test("was not there to expire", () => {
    const balance = Balance.begin(limit(), START);
    balance.grant(topUp("t", 10, NEXT + HOUR));
    balance.advance(NEXT + HOUR);
    expect(balance.tally().expired).toBe(10);
    late(balance, 4);
    expect(balance.tally()).toMatchObject({ expired: 6, burned: 4, held: 200 });
  });

  test("was not there to be deducted: the deduction falls to the next bucket", () => {
    const balance = second(limit(), 50);
    balance.deduct(50);
    late(balance, 20);
    expect(balance.tally()).toMatchObject({ burned: 70, forfeited: 50, held: 80 });
  });

  test("was not there to be deducted: with nothing left, less is deducted", () => {
    const balance = second(limit(), 50);
    balance.deduct(150);
    late(balance, 20);
    expect(balance.tally()).toMatchObject({ burned: 70, forfeited: 130, held: 0 });
    expect(balance.view().overage).toBe(0);
  });

  test("was not there to be forfeited: a base lowered below its use makes no debt", () => {
    const balance = second(limit({}, { cap: { units: 0 }, overage: "debit" }), 100);
    balance.consume(80, NEXT, 0);
    balance.change({ ...balance.terms, base: 50 }, "keep", NEXT);
    late(balance, 15);
    expect(balance.view()).toMatchObject({ limit: 35, remaining: 0, overage: 0 });
    expect(balance.tally()).toMatchObject({ repaid: 15, forfeited: 5 });
  });

  test("was there to be forfeited only as long as the base had not been raised again", () => {
    const balance = second(limit({}, { cap: { units: 0 }, overage: "debit" }), 100);
    balance.consume(80, NEXT, 0);
    for (const base of [50, 100]) balance.change({ ...balance.terms, base }, "keep", NEXT);
    balance.consume(20, NEXT, 0);
    balance.change({ ...balance.terms, base: 50 }, "keep", NEXT);
    late(balance, 10);
    expect(balance.view()).toMatchObject({ limit: 40, overage: 10 });
  });

  test("is found again wherever a reservation was moved to before", () => {
    const balance = second(limit(), 50);
    balance.grant(topUp("t", 30, NEXT + DAY));
    const lease = balance.hold("l", 40, LEASE);
    late(balance, 20);
    late(balance, 30);
    expect(lease.parts.reduce((sum, [, units]) => sum + Number(units), 0)).toBe(40);
    expect(balance.view()).toMatchObject({ reserved: 40, remaining: 90 });
  });
});

describe("what a late return brings", () => {
  test("is used before the base, so that it does not expire unused", () => {
    const balance = second(limit({}, { expires_after: 1 }), 90);
    balance.consume(60, NEXT, 0);
    late(balance, -30);
    expect(balance.state.current.buckets.map(({ id, left }) => [id, left])).toEqual([
      ["base:0", 0],
      ["base:1", 80],
    ]);
  });

  test("is not used again when it was forfeited with a lower base", () => {
    const balance = second(limit({ carryover: null }), 0);
    balance.hold("r", 60, LEASE);
    balance.consume(40, NEXT, 0);
    balance.change({ ...balance.terms, base: 10 }, "keep", NEXT);
    balance.consume(5, NEXT, 0);
    balance.endHold("r");
    expect(balance.view()).toMatchObject({ remaining: 0, overage: 5 });
  });
});

describe("what changed nothing", () => {
  test("a late fact that is forgiven leaves the current cycle as it was", () => {
    const balance = second(limit(), 100);
    balance.consume(30, NEXT, 0);
    const before = structuredClone(balance.state.current);
    late(balance, 7);
    expect(balance.state.current).toEqual(before);
  });

  test("usage of a sum does not go on because a maximum would", () => {
    const balance = second(limit({ starts_from: "last" }), 10);
    late(balance, 7);
    expect(balance.view().used).toBe(0);
  });
});

describe("debt", () => {
  test("is repaid from the base first, however the base changes", () => {
    const balance = second(limit({}, { overage: "debit" }), 180);
    expect(balance.view()).toMatchObject({ limit: 20, remaining: 20 });
    balance.change({ ...balance.terms, base: 50 }, "keep", NEXT);
    expect(balance.view()).toMatchObject({ limit: 0, remaining: 0 });
    expect(balance.tally().repaid).toBe(50);
    balance.change({ ...balance.terms, base: 90 }, "keep", NEXT);
    expect(balance.view()).toMatchObject({ limit: 10, remaining: 10 });
    expect(balance.tally().repaid).toBe(80);
  });
});

describe("what was returned beyond what was used", () => {
  const hard = limit({ enforcement: "hard" });

  test("is promised to one reservation only", () => {
    const balance = Balance.begin(hard, START);
    balance.consume(-10, START, 0);
    expect(balance.admits(110)).toBe(true);
    balance.hold("r", 110, LEASE);
    expect(balance.view().remaining).toBe(0);
    expect(balance.admits(1)).toBe(false);
  });

  test("pays what a reservation uses", () => {
    const balance = Balance.begin(hard, START);
    balance.consume(-10, START, 0);
    balance.useHeld(balance.hold("r", 110, LEASE), 110, 0);
    expect(balance.view()).toMatchObject({ used: 100, remaining: 0, overage: 0 });
  });
});

describe("the end", () => {
  test("a reservation that outlives its balance ends when its time has come", () => {
    const balance = Balance.begin(limit(), START);
    balance.hold("r", 40, { on_expiry: "release", expires_at: START + 2 * DAY });
    balance.end(START + HOUR);
    balance.advance(START + HOUR + DAY);
    expect(balance.state.is_final).toBe(false);
    balance.advance(START + 2 * DAY);
    expect(balance.state.is_final).toBe(true);
    expect(balance.tally()).toMatchObject({ forfeited: 100, held: 0 });
  });

  test("a lease that nobody reports counts as used when the next cycle would have ended", () => {
    const balance = Balance.begin(limit(), START);
    balance.hold("l", 40, LEASE);
    balance.end(START + HOUR);
    balance.advance(NEXT);
    expect(balance.tally()).toMatchObject({ burned: 40, forfeited: 60, held: 0 });
  });
});
