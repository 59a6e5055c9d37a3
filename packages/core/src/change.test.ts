import { expect, test } from "vitest";
import { changeOf } from "./change.ts";

test.each([
  [130n, 100n, "0.3"],
  [100n, 130n, "-0.2308"],
  [100n, 100n, "0"],
  [0n, 7n, "-1"],
  [5n, 0n, null],
  [0n, 0n, null],
  [-50n, -100n, "0.5"],
  [10001n, 10000n, "0.0001"],
  [100005n, 100000n, "0.0001"],
  [100004n, 100000n, "0"],
  [99995n, 100000n, "-0.0001"],
  [3n * 10n ** 30n, 10n ** 30n, "2"],
])("%s after %s is a change of %s", (value, previous, expected) => {
  expect(changeOf(value, previous)).toBe(expected);
});
