import { rate } from "@tidemark/core/price";
import { TIERS_MAX } from "@tidemark/core/price-faults";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { NAME_LENGTH_MAX } from "./limits.ts";
import { PriceSchema, toPrice } from "./price-schema.ts";

const FLAT = { model: "flat", amount: "29", currency: "EUR" };
const PER_UNIT = { model: "per_unit", unit_amount: "0.0025", currency: "EUR" };
const PACKAGE = { model: "package", package_size: 1000, package_amount: "3", currency: "EUR" };
const OPEN = { up_to: null, unit_amount: 1 };

function tiered(list: unknown, model = "graduated"): object {
  return { model, tiers: list, currency: "EUR" };
}

function ascending(count: number): readonly object[] {
  return Array.from({ length: count }, (_, i) => ({ ...OPEN, up_to: i === count - 1 ? null : i + 1 }));
}

/** What is wrong with a price: where, and how it is told. */
function faults(price: unknown): Readonly<Record<string, string>> {
  const issues = PriceSchema.safeParse(price).error?.issues ?? [];
  return Object.fromEntries(issues.map(({ path, message }) => [path.map(String).join("/"), message]));
}

describe("a price of each model is taken, and becomes decimals", () => {
  const scope = { currency: "EUR", segment: null };
  test.each<[given: object, kept: object]>([
    [FLAT, { model: "flat", amount: "29", ...scope }],
    [
      { ...FLAT, amount: 29.9, segment: " EU " },
      { model: "flat", amount: "29.9", currency: "EUR", segment: "EU" },
    ],
    [PER_UNIT, { model: "per_unit", unit_amount: "0.0025", ...scope }],
    [
      { ...PER_UNIT, unit_amount: 1.5e-7 },
      { model: "per_unit", unit_amount: "0.00000015", ...scope },
    ],
    [PACKAGE, { model: "package", package_size: "1000", package_amount: "3", included: "0", ...scope }],
    [
      { ...PACKAGE, package_size: "0.50", included: 1e-7 },
      { model: "package", package_size: "0.5", package_amount: "3", included: "0.0000001", ...scope },
    ],
    ...["graduated", "volume"].map((model): [object, object] => [
      tiered([{ up_to: 100, unit_amount: "0.10", flat_amount: 5 }, OPEN], model),
      {
        model,
        tiers: [
          { up_to: "100", unit_amount: "0.1", flat_amount: "5" },
          { up_to: null, unit_amount: "1", flat_amount: "0" },
        ],
        ...scope,
      },
    ]),
  ])("%j", (given, kept) => {
    const price = toPrice(PriceSchema.parse(given));
    expect(price).toEqual(kept);
    // What is kept is answered, and can be sent again.
    expect(toPrice(PriceSchema.parse(price))).toEqual(price);
  });
});

describe("an amount is a decimal that is not negative and keeps all of its digits", () => {
  test.each([
    ["0", "0"],
    [0, "0"],
    ["007", "7"],
    ["0.10", "0.1"],
    [0.1, "0.1"],
    [1e-12, "0.000000000001"],
    [0.000001, "0.000001"],
    ["0.000000000001", "0.000000000001"],
    [123456789.012345, "123456789.012345"],
    [999999999999999, "999999999999999"],
    ["999999999999999999.999999999999", "999999999999999999.999999999999"],
  ])("%j is %s", (amount, kept) => {
    expect(toPrice(PriceSchema.parse({ ...FLAT, amount }))).toMatchObject({ amount: kept });
  });

  test.each([
    "",
    " 1",
    "1 ",
    "1\n",
    "-1",
    "+1",
    "1e3",
    "1,5",
    ".5",
    "5.",
    "0x10",
    "NaN",
    "1000000000000000000",
    "0.0000000000001",
    -1,
    -1e-7,
    1e-13,
    0.1 + 0.2,
    1e15,
    1e21,
    Number.NaN,
    Infinity,
    null,
    true,
    undefined,
    ["1"],
  ])("%j is none", (amount) => {
    expect(faults({ ...FLAT, amount })).toEqual({
      amount: expect.stringMatching(/^Must be a decimal .*\.$/) as string,
    });
  });
});

describe("a quantity has at most nine places, as metrics have", () => {
  test.each<[price: object, path: string]>([
    [{ ...PACKAGE, package_size: "0.0000000001" }, "package_size"],
    [{ ...PACKAGE, included: "0.0000000001" }, "included"],
    [{ ...PACKAGE, included: -1 }, "included"],
    [tiered([{ ...OPEN, up_to: 1e-10 }, OPEN]), "tiers/0/up_to"],
    [tiered([{ ...OPEN, up_to: "∞" }, OPEN]), "tiers/0/up_to"],
  ])("%j", (price, path) => {
    expect(Object.keys(faults(price))).toEqual([path]);
  });
});

describe("a price that cannot be rated is refused, and it is told where", () => {
  test.each<[what: string, price: unknown, paths: readonly string[]]>([
    ["nothing", null, [""]],
    ["no model", { currency: "EUR", amount: 1 }, ["model"]],
    ["an unknown model", { ...FLAT, model: "tiered" }, ["model"]],
    ["a field of another model", { ...FLAT, unit_amount: "1" }, [""]],
    ["no currency", { model: "flat", amount: "1" }, ["currency"]],
    ["a currency in small letters", { ...FLAT, currency: "eur" }, ["currency"]],
    ["no amount", { model: "flat", currency: "EUR" }, ["amount"]],
    ["a segment without a name", { ...FLAT, segment: "" }, ["segment"]],
    ["a segment that is too long", { ...FLAT, segment: "x".repeat(NAME_LENGTH_MAX + 1) }, ["segment"]],
    ["an empty package", { ...PACKAGE, package_size: 0 }, ["package_size"]],
    ["no tiers", tiered([]), ["tiers"]],
    ["one tier too many", tiered(ascending(TIERS_MAX + 1)), ["tiers"]],
    ["no open tier", tiered([{ ...OPEN, up_to: 1 }]), ["tiers/0/up_to"]],
    ["tiers that do not ascend", tiered([{ ...OPEN, up_to: 10 }, { ...OPEN, up_to: 9 }, OPEN]), ["tiers/1/up_to"]],
    ["a tier without a price", tiered([{ up_to: null }]), ["tiers/0/unit_amount"]],
    [
      "two bad tiers",
      tiered([{ up_to: "a", unit_amount: "b" }, 1]),
      ["tiers/0/up_to", "tiers/0/unit_amount", "tiers/1"],
    ],
  ])("%s", (_what, price, paths) => {
    expect(Object.keys(faults(price))).toEqual(paths);
  });

  test("as many tiers as can be are taken", () => {
    expect(faults(tiered(ascending(TIERS_MAX)))).toEqual({});
  });
});

test("a number and its text are one amount", () => {
  const writable = fc.integer({ min: 0, max: 999_999_999_999_999 });
  fc.assert(
    fc.property(writable, fc.integer({ min: 0, max: 12 }), (digits, places) => {
      const text = (BigInt(digits) * 10n ** BigInt(12 - places)).toString().padStart(13, "0");
      const amounts = [Number(`${digits}e-${places}`), `${text.slice(0, -12)}.${text.slice(-12)}`].map((amount) =>
        toPrice(PriceSchema.parse({ ...FLAT, amount })),
      );
      expect(amounts[0]).toEqual(amounts[1]);
    }),
  );
});

test("whatever is sent is judged without an error, and what is taken can be rated", () => {
  const amount = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom("1", "0", 2, "0.05") },
    fc.constantFrom(null, undefined, {}),
    fc.double(),
    fc.string(),
  );
  const tier = fc.record({ up_to: fc.oneof(fc.constant(null), amount), unit_amount: amount });
  const sent = fc
    .oneof(
      fc.record({ model: fc.constant("flat"), amount }),
      fc.record({ model: fc.constant("per_unit"), unit_amount: amount }),
      fc.record({ model: fc.constantFrom("graduated", "volume"), tiers: fc.array(tier, { maxLength: 3 }) }),
      fc.record({ model: fc.constant("package"), package_size: amount, package_amount: amount, included: amount }),
    )
    .map((price) => ({ ...price, currency: "EUR" }));
  let taken = 0;
  fc.assert(
    fc.property(sent, fc.maxSafeInteger(), (price, quantity) => {
      const { data } = PriceSchema.safeParse(price);
      if (data === undefined) return;
      taken++;
      expect(rate(toPrice(data), quantity, 0).rounding).toBe("half_up to 0.01");
    }),
    { numRuns: 1000 },
  );
  expect(taken).toBeGreaterThan(100);
});
