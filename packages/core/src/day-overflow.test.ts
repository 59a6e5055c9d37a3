import { expect, test } from "vitest";
import { overflowsInt64 } from "./day-overflow.ts";
import { INT64_MAX, INT64_MIN } from "./exact.ts";

function day(value: bigint, group = value, hour = group) {
  return {
    value: value.toString(),
    groups: [{ labels: [], value: group.toString(), events: 1, hours: { "7": hour.toString() } }],
  };
}

test.each([
  ["the largest that fits", day(INT64_MAX), false],
  ["the smallest that fits", day(INT64_MIN), false],
  ["one more", day(INT64_MAX + 1n), true],
  ["one less", day(INT64_MIN - 1n), true],
  ["a group beyond a total that fits", day(0n, INT64_MAX + 1n, 0n), true],
  ["an hour beyond a group that fits", day(0n, 0n, INT64_MIN - 1n), true],
  ["a day with nothing counted", { value: "0", groups: [] }, false],
])("a day overflows when any of its quantities does: %s", (_what, usage, expected) => {
  expect(overflowsInt64(usage)).toBe(expected);
});
