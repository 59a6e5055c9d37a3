import { describe, expect, test } from "vitest";
import { backoffMs, retryAfterMs } from "./backoff.ts";

describe("waits between attempts", () => {
  test.each([
    [1, 0.999, 250],
    [2, 0.999, 500],
    [5, 0.999, 4_000],
    [9, 0.999, 60_000],
    [2_000, 0.999, 60_000],
    [5, 0, 0],
  ])("after %i failures and with a random number of %d, it is nearly %i ms", (failures, random, ms) => {
    const wait = backoffMs({ baseMs: 250, maxMs: 60_000 }, failures, random);
    expect(wait).toBeLessThanOrEqual(ms);
    expect(wait).toBeGreaterThanOrEqual(0.99 * ms);
  });
});

describe("Retry-After", () => {
  const now = Date.UTC(2026, 10, 1);
  test.each([
    [null, null],
    ["0", 0],
    ["7", 7_000],
    ["Sun, 01 Nov 2026 00:00:30 GMT", 30_000],
    ["Sat, 31 Oct 2026 00:00:00 GMT", 0],
    ["soon", null],
    ["-1x", null],
  ])("%s is %s ms", (header, ms) => {
    expect(retryAfterMs(header, now)).toBe(ms);
  });
});
