import { DAY_MS, HOUR_MS } from "@tidemark/core/timestamp";
import { expect, test } from "vitest";
import { sumDecimals, toDecimal } from "./decimal.ts";
import {
  formatAgo,
  formatChange,
  formatCompact,
  formatDayLong,
  formatDayShort,
  formatExactNumber,
  formatInstant,
  formatFigure,
  formatShare,
  formatTimeShort,
} from "./format.ts";

test.for([
  ["0", "0"],
  ["7", "7"],
  ["999", "999"],
  ["1000", "1K"],
  ["1234", "1.23K"],
  ["1235", "1.24K"],
  ["180000", "180K"],
  ["999499", "999K"],
  ["999500", "1M"],
  ["1200000", "1.2M"],
  ["18420000", "18.4M"],
  ["9842000", "9.84M"],
  ["1500000000", "1.5B"],
  ["9223372036854775807", "9,223,372T"],
  ["-18420000", "−18.4M"],
  ["12.5", "12.5"],
  ["12.345", "12.3"],
  ["999.96", "1K"],
  ["0.25", "0.25"],
  ["0.00012345", "0.000123"],
  ["1234.5", "1.23K"],
] as const)("%s reads as %s at a glance", ([text, compact]) => {
  expect(formatCompact(text)).toBe(compact);
});

test.for([
  ["18420000", "18,420,000"],
  ["9223372036854775807", "9,223,372,036,854,775,807"],
  ["123456789.123456789", "123,456,789.123456789"],
  ["-1234.50", "−1,234.5"],
  ["0.001", "0.001"],
] as const)("%s keeps every digit with separators: %s", ([text, exact]) => {
  expect(formatExactNumber(text)).toBe(exact);
});

test("sums are exact where doubles are not", () => {
  expect(sumDecimals(["0.1", "0.2"])).toBe("0.3");
  expect(sumDecimals(["9223372036854775807", "1", "0.000000001"])).toBe("9223372036854775808.000000001");
  expect(sumDecimals([])).toBe("0");
});

test("what is not a quantity is refused as a bug", () => {
  for (const text of ["", "1e5", "1,000", "NaN", "٣"]) expect(() => toDecimal(text)).toThrow(RangeError);
});

test.for([
  ["0.3427", "+34.2%"],
  ["-0.4219", "−42.1%"],
  ["0.2999", "+29.9%"],
  ["0", "0%"],
  ["0.0004", "+0.0%"],
  ["12.5", "+1,250%"],
  ["125", "+12.5K%"],
  ["9223372036854775806", "+922,337,204T%"],
] as const)("a change of %s reads as %s, never rounded up to a threshold", ([change, text]) => {
  expect(formatChange(change)).toBe(text);
});

test.for([
  ["41", "100", "41%"],
  ["3", "89", "3.4%"],
  ["1", "100000", "<0.1%"],
  ["0", "5", "0%"],
] as const)("%s of %s is %s", ([part, whole, share]) => {
  expect(formatShare(part, whole)).toBe(share);
});

test.for([
  [-59_999, "just now"],
  [-60_000, "in 1 min"],
  [59_999, "just now"],
  [2 * 60_000, "2 min ago"],
  [HOUR_MS, "1 hour ago"],
  [47 * HOUR_MS, "1 day ago"],
  [12 * DAY_MS, "12 days ago"],
] as const)("%s ms ago reads as %s", ([elapsed, text]) => {
  const now = Date.UTC(2026, 10, 21);
  expect(formatAgo(now - elapsed, now)).toBe(text);
});

test("days and instants are written the same way everywhere", () => {
  expect(formatDayShort("2026-10-05")).toBe("5 Oct");
  expect(formatDayLong("2026-10-05")).toBe("5 Oct 2026");
  expect(formatInstant(Date.UTC(2026, 10, 21, 2, 5, 13))).toBe("21 Nov 2026, 02:05 UTC");
});

test.for([
  ["2026-11-21", "21 Nov"],
  ["2026-11-21T05:00:00Z", "21 Nov, 05:00"],
  ["2026-11-21T05:00:00+02:00", "21 Nov, 05:00"],
  ["2026-11", "2026-11"],
  ["17", "17"],
  ["Monday", "Monday"],
] as const)("%s on an axis of time is %s", ([text, shown]) => {
  expect(formatTimeShort(text)).toBe(shown);
});

test.for([
  ["quantity", "1234567", "1.23M"],
  ["count", "1234567", "1,234,567"],
  ["rank", "1", "1"],
  ["share", "0.3427", "34%"],
  ["change", "-0.3427", "−34.2%"],
  ["text", "bursty", "bursty"],
] as const)("a %s of %s is written %s", ([kind, text, shown]) => {
  expect(formatFigure(text, kind)).toBe(shown);
});
