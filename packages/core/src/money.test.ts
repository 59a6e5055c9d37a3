import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatExact } from "./exact.ts";
import { AMOUNT_PLACES_MAX, differenceOf, roundAmount, sumAmounts, toUnits } from "./money.ts";

describe("an amount is rounded to its currency's smallest unit, half away from zero", () => {
  test.each([
    ["0.125", "EUR", "0.13", "half_up to 0.01"],
    ["-0.125", "EUR", "-0.13", "half_up to 0.01"],
    ["0.124999999999999999999", "EUR", "0.12", "half_up to 0.01"],
    ["0.125000000000000000001", "EUR", "0.13", "half_up to 0.01"],
    ["0.005", "USD", "0.01", "half_up to 0.01"],
    ["-0.005", "USD", "-0.01", "half_up to 0.01"],
    ["-0.0049", "USD", "0.00", "half_up to 0.01"],
    ["12.5", "EUR", "12.50", "half_up to 0.01"],
    ["12", "EUR", "12.00", "half_up to 0.01"],
    ["99.995", "EUR", "100.00", "half_up to 0.01"],
    ["12.5", "JPY", "13", "half_up to 1"],
    ["-12.5", "JPY", "-13", "half_up to 1"],
    ["12.4999", "JPY", "12", "half_up to 1"],
    ["0.4", "JPY", "0", "half_up to 1"],
    ["1.0005", "KWD", "1.001", "half_up to 0.001"],
    ["-1.0005", "KWD", "-1.001", "half_up to 0.001"],
    ["1.00005", "CLF", "1.0001", "half_up to 0.0001"],
    ["0", "KWD", "0.000", "half_up to 0.001"],
    // What prices are shown without, and still owed in.
    ["1.25", "HUF", "1.25", "half_up to 0.01"],
    ["1.25", "XTS", "1.25", "half_up to 0.01"],
    ["123456789012345678901234567890.125", "EUR", "123456789012345678901234567890.13", "half_up to 0.01"],
  ])("%s %s is %s", (exact, currency, amount, rounding) => {
    expect(roundAmount(exact, currency)).toEqual({ amount, rounding });
  });
});

test.each([
  [[], "0"],
  [["0.1", "0.2"], "0.3"],
  [["12.50", "0.50"], "13"],
  [["9007199254740993", "0.000000000000000000001"], "9007199254740993.000000000000000000001"],
  [["1.005", "-1.005"], "0"],
  [["-0.02", "0.005"], "-0.015"],
])("the sum of %j is %s", (amounts, sum) => {
  expect(sumAmounts(amounts)).toBe(sum);
});

test.each([
  ["12.50", "10.00", "2.5"],
  ["10", "12.5", "-2.5"],
  ["0.1", "0.10", "0"],
])("%s differs from %s by %s", (amount, before, difference) => {
  expect(differenceOf(amount, before)).toBe(difference);
});

test.each(["", "1e3", "1,5", ".5", "5.", "+1", " 1", "NaN", "0x10", "1.2.3", `0.${"0".repeat(21)}1`])(
  "%j is no amount",
  (text) => {
    expect(() => sumAmounts([text])).toThrow(RangeError);
  },
);

const amount = fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }).map((units) => formatExact(units, AMOUNT_PLACES_MAX));
const currency = fc.constantFrom("JPY", "EUR", "KWD", "CLF");

test("a rounded amount is the nearest that its currency can express, and stays when rounded again", () => {
  fc.assert(
    fc.property(amount, currency, (exact, code) => {
      const rounded = roundAmount(exact, code);
      const step = toUnits(rounded.rounding.replace("half_up to ", ""), AMOUNT_PLACES_MAX);
      const moved = toUnits(differenceOf(rounded.amount, exact), AMOUNT_PLACES_MAX);
      expect(toUnits(rounded.amount, AMOUNT_PLACES_MAX) % step).toBe(0n);
      expect(2n * (moved < 0n ? -moved : moved)).toBeLessThanOrEqual(step);
      expect(roundAmount(rounded.amount, code)).toEqual(rounded);
    }),
  );
});

test("what is added can be taken away again", () => {
  fc.assert(
    fc.property(amount, amount, (a, b) => {
      expect(differenceOf(sumAmounts([a, b]), b)).toBe(a);
    }),
  );
});
