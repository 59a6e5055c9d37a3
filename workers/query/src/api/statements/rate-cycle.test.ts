import type { BalanceDefinition } from "@tidemark/contract";
import type { Exact } from "@tidemark/core/exact";
import { sumAmounts } from "@tidemark/core/money";
import type { Price } from "@tidemark/core/price";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ChargedCycle } from "./charged-cycle.ts";
import { NO_METRIC, rateCycle } from "./rate-cycle.ts";

const MONTH = 2_592_000_000;
const PER_UNIT: Price = { model: "per_unit", unit_amount: "0.0025", currency: "EUR", segment: null };
const TIERS: Price = {
  model: "graduated",
  tiers: [
    { up_to: "100", unit_amount: "1", flat_amount: "0" },
    { up_to: null, unit_amount: "0.5", flat_amount: "0" },
  ],
  currency: "EUR",
  segment: null,
};

interface Sold {
  readonly prices?: readonly Price[];
  readonly accumulates?: boolean;
  readonly charge_on?: "total" | "delta";
  readonly allow_negative?: boolean;
}

/** Cycle `index` of a subscription. */
function cycle(index: number, used: Exact, sold: Sold = {}, more: Partial<ChargedCycle> = {}): ChargedCycle {
  const { prices = [PER_UNIT], accumulates = false, charge_on = "total", ...signs } = sold;
  const definition: BalanceDefinition = {
    id: "sub_1",
    metric_id: "met_1",
    terms: {
      base: null,
      aggregation: "sum",
      enforcement: "monitor",
      carryover: null,
      accumulates,
      starts_from: "empty",
      late: "adjust",
      grace_ms: 0,
      schedule: { interval: { count: 30, period: "days" }, anchor: 0, time_zone: "UTC" },
      by_segment: true,
      per: null,
    },
    unavailable: "closed",
    product: { id: "prod_1", slug: "api", name: "API", prices, charge_on, segments: ["EU", "US"], ...signs },
  };
  return {
    definition,
    label: "",
    status: "final",
    final_at: null,
    start: index * MONTH,
    end: (index + 1) * MONTH,
    limit: null,
    carried: 0,
    used,
    used_before: 0,
    overage: 0,
    segments: {},
    adjustments: [],
    ...more,
  };
}

const METRIC = { decimal_places: 0, allow_negative: false };

function late(index: number, units: Exact) {
  return { cycle_start: index * MONTH, units };
}

describe("a cycle is charged for what was used in it", () => {
  test.each<readonly [string, Sold, Exact, string, string]>([
    ["by the unit, rounded once", {}, 1250, "1250", "3.13"],
    ["by tiers", { prices: [TIERS] }, 120, "120", "110.00"],
    [
      "flat, whatever was used",
      { prices: [{ model: "flat", amount: "10", currency: "EUR", segment: null }] },
      0,
      "1",
      "10.00",
    ],
    ["in a currency without cents", { prices: [{ ...PER_UNIT, currency: "JPY" }] }, 1250, "1250", "3"],
    ["never for less than nothing", {}, -5, "0", "0.00"],
  ])("%s", (_name, sold, used, quantity, amount) => {
    const { lines, totals } = rateCycle(cycle(0, used, sold), METRIC, []);
    expect(lines).toMatchObject([{ description: "API", quantity, amount }]);
    expect(totals).toMatchObject([{ amount }]);
  });

  test("below nothing where the metric allows it", () => {
    const charges = rateCycle(cycle(0, -400), { ...METRIC, allow_negative: true }, []);
    expect(charges.lines).toMatchObject([{ quantity: "-400", exact_amount: "-1", amount: "-1.00" }]);
  });

  test("below nothing where the metric allowed it when the product was sold, whatever it says now", () => {
    const amounts = (sold: boolean, now: boolean) =>
      rateCycle(cycle(0, -400, { allow_negative: sold }), { ...METRIC, allow_negative: now }, []).totals;
    expect(amounts(true, false)).toMatchObject([{ amount: "-1.00" }]);
    expect(amounts(false, true)).toMatchObject([{ amount: "0.00" }]);
  });

  test("with a total for each currency", () => {
    const prices = ["EUR", "JPY", "EUR"].map((currency) => ({ ...PER_UNIT, currency }));
    expect(rateCycle(cycle(0, 1000, { prices }), METRIC, []).totals).toEqual([
      { currency: "EUR", amount: "5.00" },
      { currency: "JPY", amount: "3" },
    ]);
  });

  test("with a line for each price, and a total that is the sum of what is shown", () => {
    const prices: readonly Price[] = [
      PER_UNIT,
      { ...PER_UNIT, unit_amount: "0.001" },
      { ...PER_UNIT, unit_amount: "0.0005" },
    ];
    const { lines, totals } = rateCycle(cycle(0, 5, { prices }), METRIC, []);
    expect(lines.map(({ amount }) => amount)).toEqual(["0.01", "0.01", "0.00"]);
    expect(totals).toEqual([{ currency: "EUR", amount: "0.02" }]);
  });

  test("for nothing without a product", () => {
    const { definition, ...rest } = cycle(0, 5);
    const allowance = { ...rest, definition: { ...definition, product: null } };
    expect(rateCycle(allowance, METRIC, [])).toEqual({ lines: [], adjustments: [], totals: [] });
  });

  test("with flat prices once, also where each label has a balance", () => {
    const prices: readonly Price[] = [PER_UNIT, { model: "flat", amount: "10", currency: "EUR", segment: null }];
    const lines = (label: string) => rateCycle(cycle(0, 5, { prices }, { label }), NO_METRIC, []).lines.length;
    expect([lines(""), lines("a")]).toEqual([2, 1]);
  });
});

describe("usage that goes on (V15)", () => {
  const uses = [100, 50, -30];
  const totals = [100, 150, 120];
  const cycles = (sold: Sold) =>
    totals.map((used, index) =>
      cycle(index, used, { ...sold, accumulates: true }, { used_before: totals[index - 1] ?? 0 }),
    );
  const quantities = (sold: Sold) =>
    cycles(sold).flatMap((one) => rateCycle(one, METRIC, []).lines.map(({ quantity }) => quantity));

  test("is charged for the total", () => {
    expect(quantities({ charge_on: "total" })).toEqual(totals.map(String));
  });

  test("or for what each cycle added", () => {
    expect(quantities({ charge_on: "delta" })).toEqual(uses.map(String));
  });
});

describe("a price of a segment", () => {
  const prices: readonly Price[] = [
    { ...PER_UNIT, segment: "EU" },
    { ...PER_UNIT, segment: "US" },
  ];
  const segments = { 0: 1, 1: 10, 2: 100, 3: 1000 };

  test("prices what was in it, also what was in others too", () => {
    const { lines } = rateCycle(cycle(0, 1111, { prices }, { segments }), METRIC, []);
    expect(lines).toMatchObject([
      { description: "API: EU", segment: "EU", quantity: "1010" },
      { description: "API: US", segment: "US", quantity: "1100" },
    ]);
  });

  test("of what a cycle added goes by what the one before ended with", () => {
    const sold: Sold = { prices, accumulates: true, charge_on: "delta" };
    const before = cycle(0, 0, sold, { segments: { 1: 4, 3: 500 } });
    const { lines } = rateCycle(cycle(1, 0, sold, { segments }), METRIC, [before]);
    expect(lines.map(({ quantity }) => quantity)).toEqual(["506", "600"]);
  });
});

describe("usage that came when its cycle was final", () => {
  test("is an adjustment of its own, rated as the difference that it makes to its cycle", () => {
    const sold = { prices: [TIERS] };
    const now = cycle(3, 60, sold, { adjustments: [late(1, 10)] });
    const { lines, adjustments, totals } = rateCycle(now, METRIC, [cycle(2, 0, sold), cycle(1, 95, sold)]);
    expect(lines).toMatchObject([{ quantity: "50", amount: "50.00" }]);
    expect(adjustments).toEqual([
      {
        number: 1,
        for_cycle: new Date(MONTH).toISOString().replace(".000Z", "Z"),
        quantity: "10",
        exact_amount: "7.5",
        amount: "7.50",
        currency: "EUR",
        rounding: "difference of amounts, each half_up to 0.01",
      },
    ]);
    expect(totals).toEqual([{ currency: "EUR", amount: "57.50" }]);
  });

  test("is rated together with what had come late before", () => {
    const sold = { prices: [TIERS] };
    const first = cycle(2, 10, sold, { adjustments: [late(0, 10)] });
    const { adjustments } = rateCycle(cycle(3, 10, sold, { adjustments: [late(0, 10)] }), METRIC, [
      first,
      cycle(1, 0, sold),
      cycle(0, 95, sold),
    ]);
    expect(adjustments).toMatchObject([{ amount: "5.00" }]);
  });

  test("of a running total changes each cycle from there on", () => {
    const sold: Sold = { accumulates: true, prices: [{ ...PER_UNIT, unit_amount: "1" }] };
    const earlier = [cycle(2, 120, sold), cycle(1, 120, sold), cycle(0, 100, sold)];
    const now = cycle(3, 130, sold, { used_before: 120, adjustments: [late(1, 10)] });
    const { lines, adjustments } = rateCycle(now, METRIC, earlier);
    expect(lines).toMatchObject([{ quantity: "130" }]);
    expect(adjustments).toMatchObject([{ quantity: "10", amount: "20.00" }]);
  });

  test("of what cycles add is none of the cycle's own", () => {
    const sold: Sold = { accumulates: true, charge_on: "delta", prices: [{ ...PER_UNIT, unit_amount: "1" }] };
    const now = cycle(2, 135, sold, { used_before: 120, adjustments: [late(0, 10)] });
    const { lines, adjustments } = rateCycle(now, METRIC, [
      cycle(1, 120, sold, { used_before: 100 }),
      cycle(0, 100, sold),
    ]);
    expect(lines).toMatchObject([{ quantity: "5" }]);
    expect(adjustments).toMatchObject([{ amount: "10.00" }]);
  });

  test("is in the currency that its cycle was sold in, each in its own", () => {
    const [euro, dollar] = [PER_UNIT, { ...PER_UNIT, unit_amount: "1", currency: "USD" }];
    const now = cycle(2, 400, { prices: [dollar] }, { adjustments: [late(0, 400)] });
    const charges = (prices: readonly Price[]) => rateCycle(now, METRIC, [cycle(0, 0, { prices })]);
    expect(charges([euro])).toMatchObject({
      lines: [{ amount: "0.00", currency: "USD" }],
      adjustments: [{ amount: "1.00", currency: "EUR", rounding: "difference of amounts, each half_up to 0.01" }],
      totals: [
        { currency: "USD", amount: "0.00" },
        { currency: "EUR", amount: "1.00" },
      ],
    });
    expect(charges([euro, dollar, euro]).adjustments).toMatchObject([
      { number: 1, amount: "2.00", currency: "EUR" },
      { number: 2, amount: "400.00", currency: "USD" },
    ]);
  });

  test.each<readonly [used: number, units: number, own: string, amount: string]>([
    [5, -20, "5.00", "-5.00"],
    [-10, 10, "0.00", "0.00"],
    [-10, 15, "0.00", "5.00"],
  ])("never makes less than nothing of its cycle: %d, then %d", (used, units, own, amount) => {
    for (const sold of [{}, { accumulates: true, charge_on: "delta" }] as const) {
      const prices: readonly Price[] = [{ ...PER_UNIT, unit_amount: "1" }];
      const old = cycle(0, used, { ...sold, prices });
      const total = "accumulates" in sold ? used + units : units;
      const now = cycle(1, total, { ...sold, prices }, { used_before: used, adjustments: [late(0, units)] });
      expect(rateCycle(old, METRIC, []).lines).toMatchObject([{ amount: own }]);
      const { lines, adjustments } = rateCycle(now, METRIC, [old]);
      expect([lines[0]?.amount, adjustments[0]?.amount]).toEqual(["0.00", amount]);
    }
  });

  test("of a running total is rated together with what came late of other cycles with it", () => {
    const tiers = [
      { up_to: "100", unit_amount: "1", flat_amount: "0" },
      { up_to: null, unit_amount: "0", flat_amount: "0" },
    ];
    const sold: Sold = { accumulates: true, prices: [{ ...TIERS, model: "graduated", tiers }] };
    const now = cycle(2, 110, sold, { used_before: 95, adjustments: [late(0, 10), late(1, 5)] });
    const { adjustments } = rateCycle(now, METRIC, [cycle(1, 95, sold), cycle(0, 50, sold)]);
    expect(adjustments).toMatchObject([{ amount: "15.00" }, { amount: "0.00" }]);
  });

  test("is shown without a price as well", () => {
    const { definition, ...rest } = cycle(2, 5, {}, { adjustments: [late(0, 5)] });
    const allowance = { ...rest, definition: { ...definition, product: null } };
    expect(rateCycle(allowance, METRIC, []).adjustments).toMatchObject([
      { quantity: "5", amount: "0", currency: null },
    ]);
  });

  test("costs, with everything else of its cycle, what it would have cost in time", () => {
    const units = fc.nat(300);
    fc.assert(
      fc.property(units, units, units, fc.constantFrom(PER_UNIT, TIERS), (used, first, second, price) => {
        const sold = { prices: [price] };
        const old = cycle(0, used, sold);
        const next = cycle(1, first, sold, { adjustments: [late(0, first)] });
        const last = cycle(2, second, sold, { adjustments: [late(0, second)] });
        const amounts = [
          rateCycle(old, METRIC, []).lines,
          rateCycle(next, METRIC, [old]).adjustments,
          rateCycle(last, METRIC, [next, old]).adjustments,
        ].flatMap((parts) => parts.map(({ amount }) => amount));
        const [inTime] = rateCycle(cycle(0, used + first + second, sold), METRIC, []).lines;
        expect(sumAmounts(amounts)).toBe(sumAmounts([inTime?.amount ?? ""]));
      }),
    );
  });

  test("leaves what all cycles come to at what was used, by what each adds", () => {
    const signed = fc.integer({ min: -50, max: 50 });
    fc.assert(
      fc.property(fc.array(fc.tuple(signed, signed), { minLength: 1, maxLength: 6 }), (uses) => {
        const sold: Sold = { accumulates: true, charge_on: "delta", prices: [{ ...PER_UNIT, unit_amount: "1" }] };
        const cycles: ChargedCycle[] = [];
        let used = 0;
        for (const [index, [own, later]] of uses.entries()) {
          // What is late is of the cycle before the last.
          const adjustments = index < 2 || later === 0 ? [] : [late(index - 2, later)];
          const used_before = used;
          used += own + (adjustments.length === 0 ? 0 : later);
          cycles.unshift(cycle(index, used, sold, { used_before, adjustments }));
        }
        const amounts = cycles.flatMap((one, index) => {
          const { lines, adjustments } = rateCycle(one, METRIC, cycles.slice(index + 1));
          return [...lines, ...adjustments].map(({ amount }) => amount);
        });
        expect(sumAmounts(amounts)).toBe(String(Math.max(used, 0)));
      }),
    );
  });
});
