import fc from "fast-check";
import { expect, test } from "vitest";
import { exceeds } from "./exceeds.ts";

test.each([
  [2, 1, true],
  [1, 1, false],
  ["1.10", "1.1", false],
  ["1.11", "1.1", true],
  ["10", "9.99", true],
  ["9007199254740993", "9007199254740992", true],
  [1, "nonsense", false],
  [1e21, 1, false],
] as const)("that %s exceeds %s is %s", (quantity, limit, expected) => {
  expect(exceeds(quantity, limit)).toBe(expected);
});

test("of two quantities one exceeds the other exactly when it is more in their smallest unit", () => {
  const units = fc.bigInt({ min: 0n, max: 10n ** 20n });
  fc.assert(
    fc.property(units, units, (a, b) => {
      expect(exceeds(toDecimal(a), toDecimal(b))).toBe(a > b);
    }),
  );
});

/** Units of a hundredth, as a decimal. */
function toDecimal(units: bigint): string {
  return `${units / 100n}.${String(units % 100n).padStart(2, "0")}`;
}
