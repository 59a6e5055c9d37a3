import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DECIMAL_PLACES_MAX, type Exact, formatExact, INT64_MAX, INT64_MIN } from "./exact.ts";
import { sumAmounts } from "./money.ts";
import { type Price, type PriceModel, rate, type Tier } from "./price.ts";

function inEuro(model: PriceModel): Price {
  return { ...model, currency: "EUR", segment: null };
}

const TIERS: readonly Tier[] = [
  { up_to: "100", unit_amount: "0.10", flat_amount: "5" },
  { up_to: "1000", unit_amount: "0.05", flat_amount: "0" },
  { up_to: null, unit_amount: "0.01", flat_amount: "2.50" },
];
const FLAT = inEuro({ model: "flat", amount: "29" });
const PER_UNIT = inEuro({ model: "per_unit", unit_amount: "0.0025" });
const GRADUATED = inEuro({ model: "graduated", tiers: TIERS });
const VOLUME = inEuro({ model: "volume", tiers: TIERS });
const PACKAGE = inEuro({ model: "package", package_size: "1000", package_amount: "3" });
const INCLUDED = inEuro({ model: "package", package_size: "1000", package_amount: "3", included: "500" });

describe("a quantity costs, exactly and rounded", () => {
  test.each<[what: string, price: Price, quantity: Exact, places: number, exact: string, amount: string]>([
    ["flat, for nothing", FLAT, 0, 0, "29", "29.00"],
    ["flat, whatever the quantity", FLAT, 1_000_000, 0, "29", "29.00"],
    ["flat, after adjustments below zero", FLAT, -5, 0, "29", "29.00"],
    ["per unit, nothing", PER_UNIT, 0, 0, "0", "0.00"],
    ["per unit", PER_UNIT, 1250, 0, "3.125", "3.13"],
    ["per unit, taken back", PER_UNIT, -1250, 0, "-3.125", "-3.13"],
    ["per unit, of a quantity with three places", PER_UNIT, 1_234_567, 3, "3.0864175", "3.09"],
    [
      "per unit, beyond what a double holds",
      PER_UNIT,
      9_007_199_254_740_993n,
      0,
      "22517998136852.4825",
      "22517998136852.48",
    ],
    ["graduated, nothing: no tier is entered", GRADUATED, 0, 0, "0", "0.00"],
    ["graduated, the first unit", GRADUATED, 1, 0, "5.1", "5.10"],
    ["graduated, a thousandth of a unit", GRADUATED, 1, 3, "5.0001", "5.00"],
    ["graduated, a full tier", GRADUATED, 100, 0, "15", "15.00"],
    ["graduated, a thousandth into the next", GRADUATED, 100_001, 3, "15.00005", "15.00"],
    ["graduated, one into the next", GRADUATED, 101, 0, "15.05", "15.05"],
    ["graduated, two full tiers", GRADUATED, 1000, 0, "60", "60.00"],
    ["graduated, one into the last", GRADUATED, 1001, 0, "62.51", "62.51"],
    ["graduated, taken back", GRADUATED, -101, 0, "-15.05", "-15.05"],
    ["volume, nothing: the first tier", VOLUME, 0, 0, "5", "5.00"],
    ["volume, a full tier", VOLUME, 100, 0, "15", "15.00"],
    ["volume, one into the next, whose price all units have", VOLUME, 101, 0, "5.05", "5.05"],
    ["volume, two full tiers", VOLUME, 1000, 0, "50", "50.00"],
    ["volume, a thousandth into the last", VOLUME, 1_000_001, 3, "12.50001", "12.50"],
    ["volume, taken back", VOLUME, -101, 0, "-5.05", "-5.05"],
    ["package, nothing", PACKAGE, 0, 0, "0", "0.00"],
    ["package, one unit begins one", PACKAGE, 1, 0, "3", "3.00"],
    ["package, a full one", PACKAGE, 1000, 0, "3", "3.00"],
    ["package, a billionth begins the next", PACKAGE, 1_000_000_000_001n, 9, "6", "6.00"],
    ["package, taken back", PACKAGE, -1001, 0, "-6", "-6.00"],
    ["package, beyond what a double holds", PACKAGE, INT64_MAX, 0, "27670116110564328", "27670116110564328.00"],
    ["package, within what is included", INCLUDED, 500, 0, "0", "0.00"],
    ["package, one beyond what is included", INCLUDED, 501, 0, "3", "3.00"],
    ["package, a full one beyond what is included", INCLUDED, 1500, 0, "3", "3.00"],
    ["package, taken back beyond what is included", INCLUDED, -1501, 0, "-6", "-6.00"],
  ])("%s", (_what, price, quantity, places, exact, amount) => {
    const line = rate(price, quantity, places);
    expect(line).toMatchObject({ exact_amount: exact, amount, rounding: "half_up to 0.01" });
  });

  test("V15: charge_recurring on the total, and on the delta", () => {
    const price = inEuro({ model: "per_unit", unit_amount: "0.10" });
    const amounts = (quantities: readonly number[]) => quantities.map((quantity) => rate(price, quantity, 0).amount);
    const deltas = [100, 50, -30];
    const totals = deltas.map((_, i) => deltas.slice(0, i + 1).reduce((sum, delta) => sum + delta, 0));
    expect(totals).toEqual([100, 150, 120]);
    expect(amounts(totals)).toEqual(["10.00", "15.00", "12.00"]);
    expect(amounts(deltas)).toEqual(["10.00", "5.00", "-3.00"]);
  });

  test("a line is rounded once, and not in each of its parts", () => {
    const tiers = [
      { up_to: "1", unit_amount: "0.004", flat_amount: "0" },
      { up_to: null, unit_amount: "0.004", flat_amount: "0" },
    ];
    expect(rate(inEuro({ model: "graduated", tiers }), 2, 0)).toMatchObject({ exact_amount: "0.008", amount: "0.01" });
  });

  test("the currency says how far it is rounded", () => {
    const amounts = ["JPY", "EUR", "KWD"].map((currency) => rate({ ...PER_UNIT, currency }, 1001, 0).amount);
    expect(amounts).toEqual(["3", "2.50", "2.503"]);
  });

  test("the smallest price of the smallest quantity is not lost", () => {
    const price = inEuro({ model: "per_unit", unit_amount: "0.000000000001" });
    expect(rate(price, 1, 9).exact_amount).toBe("0.000000000000000000001");
  });

  test("tiers without an open end are a bug, and said to be one", () => {
    const tiers = [{ up_to: "10", unit_amount: "1", flat_amount: "0" }];
    expect(() => rate(inEuro({ model: "volume", tiers }), 11, 0)).toThrow(RangeError);
  });
});

describe("the parts of a line let a person check it", () => {
  test.each<[what: string, price: Price, quantity: Exact, places: number, parts: readonly object[]]>([
    ["flat", FLAT, 7, 0, [{ from: "0", to: "7", units: "7", unit_amount: "0", flat_amount: "29", amount: "29" }]],
    [
      "per unit",
      PER_UNIT,
      12_500,
      1,
      [{ from: "0", to: "1250", units: "1250", unit_amount: "0.0025", amount: "3.125" }],
    ],
    ["per unit, nothing", PER_UNIT, 0, 0, [{ from: "0", to: "0", units: "0", unit_amount: "0.0025", amount: "0" }]],
    ["graduated, nothing", GRADUATED, 0, 0, []],
    [
      "graduated",
      GRADUATED,
      15005,
      1,
      [
        { from: "0", to: "100", units: "100", unit_amount: "0.1", flat_amount: "5", amount: "15" },
        { from: "100", to: "1000", units: "900", unit_amount: "0.05", amount: "45" },
        { from: "1000", to: "1500.5", units: "500.5", unit_amount: "0.01", flat_amount: "2.5", amount: "7.505" },
      ],
    ],
    [
      "graduated, taken back",
      GRADUATED,
      -101,
      0,
      [
        { from: "0", to: "-100", units: "-100", unit_amount: "0.1", flat_amount: "-5", amount: "-15" },
        { from: "-100", to: "-101", units: "-1", unit_amount: "0.05", amount: "-0.05" },
      ],
    ],
    [
      "volume",
      VOLUME,
      2000,
      0,
      [{ from: "0", to: "2000", units: "2000", unit_amount: "0.01", flat_amount: "2.5", amount: "22.5" }],
    ],
    [
      "package",
      PACKAGE,
      2350,
      0,
      [{ from: "0", to: "2350", units: "3", package_size: "1000", unit_amount: "3", amount: "9" }],
    ],
    [
      "package, beyond what is included",
      INCLUDED,
      2350,
      0,
      [
        { from: "0", to: "500", units: "500", unit_amount: "0", amount: "0" },
        { from: "500", to: "2350", units: "2", package_size: "1000", unit_amount: "3", amount: "6" },
      ],
    ],
    [
      "package, within what is included",
      INCLUDED,
      20,
      0,
      [{ from: "0", to: "20", units: "20", unit_amount: "0", amount: "0" }],
    ],
  ])("%s", (_what, price, quantity, places, parts) => {
    expect(rate(price, quantity, places).parts).toEqual(parts);
  });
});

const decimal = (max: bigint, placesMax: number) =>
  fc.bigInt({ min: 0n, max }).map((units) => formatExact(units, placesMax));
const priceAmount = decimal(10n ** 16n, 12);
const tiersOf = fc
  .uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 5 })
  .chain((ends) =>
    fc.tuple(
      ...[...ends.toSorted((a, b) => a - b).map(String), null].map((up_to) =>
        fc.record({ up_to: fc.constant(up_to), unit_amount: priceAmount, flat_amount: priceAmount }),
      ),
    ),
  );
const model: fc.Arbitrary<PriceModel> = fc.oneof(
  fc.record({ model: fc.constant("flat"), amount: priceAmount }),
  fc.record({ model: fc.constant("per_unit"), unit_amount: priceAmount }),
  fc.record({ model: fc.constantFrom("graduated", "volume"), tiers: tiersOf }),
  fc.record({
    model: fc.constant("package"),
    package_size: fc.integer({ min: 1, max: 10 ** 9 }).map((units) => formatExact(units, 9)),
    package_amount: priceAmount,
    included: decimal(10n ** 11n, 9),
  }),
);
const price = model.map(inEuro);
const anyQuantity = fc.oneof(fc.integer({ min: -100, max: 100 }), fc.bigInt({ min: INT64_MIN, max: INT64_MAX }));
const places = fc.integer({ min: 0, max: DECIMAL_PLACES_MAX });

test("an exact amount is the sum of its parts, and the parts follow each other up to the quantity", () => {
  fc.assert(
    fc.property(price, anyQuantity, places, (of, quantity, scale) => {
      const { parts, exact_amount } = rate(of, quantity, scale);
      expect(sumAmounts(parts.map(({ amount }) => amount))).toBe(exact_amount);
      let at = "0";
      for (const { from, to } of parts) {
        expect(from).toBe(at);
        at = to;
      }
      expect(at).toBe(formatExact(quantity, scale));
    }),
  );
});

test("what is taken back costs the same with the other sign, whatever the model", () => {
  fc.assert(
    fc.property(
      price.filter((one) => one.model !== "flat"),
      anyQuantity,
      places,
      (of, quantity, scale) => {
        fc.pre(BigInt(quantity) !== 0n);
        const amounts = [quantity, -BigInt(quantity)].map((one) => rate(of, one, scale));
        expect(sumAmounts(amounts.map(({ exact_amount }) => exact_amount))).toBe("0");
        expect(sumAmounts(amounts.map(({ amount }) => amount))).toBe("0");
      },
    ),
  );
});

test("units priced one by one cost what they cost together", () => {
  fc.assert(
    fc.property(priceAmount, anyQuantity, anyQuantity, places, (unit_amount, a, b, scale) => {
      const exact = (quantity: Exact) => rate(inEuro({ model: "per_unit", unit_amount }), quantity, scale).exact_amount;
      expect(sumAmounts([exact(a), exact(b)])).toBe(exact(BigInt(a) + BigInt(b)));
    }),
  );
});

test("tiers price what a person finds who goes through the units one by one", () => {
  fc.assert(
    fc.property(tiersOf, fc.integer({ min: 0, max: 80 }), (tiers, quantity) => {
      const tierOf = (unit: number) =>
        tiers.find(({ up_to }) => up_to === null || unit <= Number(up_to)) ?? expect.unreachable();
      const units = Array.from({ length: quantity }, (_, i) => tierOf(i + 1));
      const graduated = [
        ...units.map(({ unit_amount }) => unit_amount),
        ...[...new Set(units)].map(({ flat_amount }) => flat_amount),
      ];
      expect(rate(inEuro({ model: "graduated", tiers }), quantity, 0).exact_amount).toBe(sumAmounts(graduated));
      const { unit_amount, flat_amount } = tierOf(quantity);
      const volume = [...units.map(() => unit_amount), flat_amount];
      expect(rate(inEuro({ model: "volume", tiers }), quantity, 0).exact_amount).toBe(sumAmounts(volume));
    }),
  );
});
