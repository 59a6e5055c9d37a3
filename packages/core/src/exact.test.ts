import fc from "fast-check";
import { expect, test } from "vitest";
import {
  addExact,
  DECIMAL_PLACES_MAX,
  fitsInt64,
  formatExact,
  INT64_MAX,
  INT64_MIN,
  parseDecimal,
  toExact,
} from "./exact.ts";

test.each([
  [0, 0, 0],
  [-0, 0, 0],
  [1, 0, 1],
  [0.1, 1, 1],
  [0.1, 9, 100_000_000],
  [1e-9, 9, 1],
  ["1e3", 0, 1000],
  ["+5", 0, 5],
  ["-0.50", 2, -50],
  ["00012", 0, 12],
  ["1.000", 0, 1],
  ["9223372036854775807", 0, INT64_MAX],
  ["-9223372036854775808", 0, INT64_MIN],
  ["9007199254740993", 0, 9007199254740993n],
])("%j with %i places is %s", (value, places, expected) => {
  expect(toExact(value, places)).toBe(expected);
});

test.each([
  [NaN, 0, "not_a_number"],
  [Infinity, 0, "not_a_number"],
  [true, 0, "not_a_number"],
  [null, 0, "not_a_number"],
  ["", 0, "not_a_number"],
  ["1,000", 0, "not_a_number"],
  [" 1", 0, "not_a_number"],
  ["0x10", 0, "not_a_number"],
  ["1e400", 0, "out_of_range"],
  ["9223372036854775808", 0, "out_of_range"],
  ["9223372036854775807", 1, "out_of_range"],
  [0.5, 0, "too_precise"],
  ["1e-400", 9, "too_precise"],
  [0.001, 2, "too_precise"],
])("%j with %i places is refused as %s", (value, places, code) => {
  expect(toExact(value, places)).toBe(code);
});

const int64 = fc.bigInt({ min: INT64_MIN, max: INT64_MAX });
const places = fc.integer({ min: 0, max: DECIMAL_PLACES_MAX });

test("what is formatted reads back as the same quantity", () => {
  fc.assert(
    fc.property(int64, places, (value, scale) => {
      expect(BigInt(parseDecimal(formatExact(value, scale), scale))).toBe(value);
    }),
  );
});

test("sums are those of whole numbers, and tell whether they fit int64", () => {
  fc.assert(
    fc.property(int64, int64, (a, b) => {
      const sum = addExact(a, b);
      const exact = a + b;
      expect(BigInt(sum)).toBe(exact);
      expect(fitsInt64(sum)).toBe(exact >= INT64_MIN && exact <= INT64_MAX);
    }),
  );
});

test("ten tenths are one", () => {
  let sum = 0 as ReturnType<typeof addExact>;
  for (let i = 0; i < 10; i++) sum = addExact(sum, toExact(0.1, 1) as number);
  expect(formatExact(sum, 1)).toBe("1");
});
