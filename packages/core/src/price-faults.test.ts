import { describe, expect, test } from "vitest";
import type { Price, PriceModel, Tier } from "./price.ts";
import { priceFaults, TIERS_MAX } from "./price-faults.ts";

function priced(model: PriceModel): Price {
  return { ...model, currency: "EUR", segment: null };
}

function tiers(...ends: readonly (string | null)[]): readonly Tier[] {
  return ends.map((up_to) => ({ up_to, unit_amount: "1", flat_amount: "0" }));
}

const ascending = (count: number) => tiers(...Array.from({ length: count - 1 }, (_, i) => String(i + 1)), null);

describe("a price that can be rated has no fault", () => {
  test.each<PriceModel>([
    { model: "flat", amount: "0" },
    { model: "per_unit", unit_amount: "0.000000000001" },
    { model: "package", package_size: "0.000000001", package_amount: "1" },
    { model: "graduated", tiers: tiers(null) },
    { model: "volume", tiers: tiers("9", "10", "10.5", null) },
    { model: "graduated", tiers: ascending(TIERS_MAX) },
  ])("%j", (model) => {
    expect(priceFaults(priced(model))).toEqual([]);
  });
});

describe("tiers are at least one, ascend, and end with the only one that is open", () => {
  const cases: readonly [what: string, tiers: readonly Tier[], paths: readonly string[]][] = [
    ["none", [], ["tiers"]],
    ["one too many", ascending(TIERS_MAX + 1), ["tiers"]],
    ["no open end", tiers("10", "20"), ["tiers/1/up_to"]],
    ["an open end before the last", tiers("10", null, null), ["tiers/1/up_to"]],
    ["a first tier of nothing", tiers("0", null), ["tiers/0/up_to"]],
    ["an empty tier", tiers("10", "10.0", null), ["tiers/1/up_to"]],
    ["a tier that ends before it begins", tiers("10", "9", "11", null), ["tiers/1/up_to"]],
    ["several of these", tiers("10", "9", null, "12"), ["tiers/1/up_to", "tiers/2/up_to", "tiers/3/up_to"]],
  ];
  for (const model of ["graduated", "volume"] as const) {
    test.each(cases)(`${model}: %s`, (_what, of, paths) => {
      const faults = priceFaults(priced({ model, tiers: of }));
      expect(faults.map(({ path }) => path.join("/"))).toEqual(paths);
      for (const { detail } of faults) expect(detail).toMatch(/^Must .*\.$/);
    });
  }
});

test.each(["0", "0.00"])("a package of %s units is refused", (package_size) => {
  const faults = priceFaults(priced({ model: "package", package_size, package_amount: "1" }));
  expect(faults.map(({ path }) => path)).toEqual([["package_size"]]);
});
