import { expect, test } from "vitest";
import { Balance } from "./balance.ts";
import { defaultsOf, type Terms } from "./terms.ts";

const START = Date.parse("2026-01-01T00:00Z");
const HOUR = 3_600_000;

test("shares of shares, each rounded down, never come to less than nothing", () => {
  const terms: Terms = {
    ...defaultsOf("limit_metered"),
    base: 0,
    aggregation: "sum",
    schedule: { interval: { count: 1, period: "days" }, anchor: START, time_zone: "UTC" },
    by_segment: false,
    per: null,
  };
  const balance = Balance.begin(terms, START);
  balance.change({ ...terms, base: 1 }, "prorate", START + HOUR);
  expect(balance.view().limit).toBe(0);
  balance.change({ ...terms, base: 0 }, "prorate", START + 2 * HOUR);
  expect(balance.view().limit).toBe(0);
  expect(balance.tally()).toMatchObject({ granted: 0, repaid: 0 });
});
