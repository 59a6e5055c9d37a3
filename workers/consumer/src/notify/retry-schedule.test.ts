import fc from "fast-check";
import { expect, test } from "vitest";
import { nextAttemptAt, readRetryAfter, RETRY_DELAYS_MS } from "./retry-schedule.ts";

const NOW = Date.UTC(2026, 10, 20, 10);
const HOUR = 3_600_000;
const patient = { retryAfterMs: null, random: 0 };

test("ten attempts are made in 75 hours, 35 minutes and 5 seconds, or little more", () => {
  expect(RETRY_DELAYS_MS.length + 1).toBe(10);
  expect(RETRY_DELAYS_MS.reduce((sum, delay) => sum + delay, 0)).toBe(75 * HOUR + 35 * 60_000 + 5_000);
  expect(nextAttemptAt(10, NOW, patient)).toBeNull();
});

test.each([
  [1, null, 5_000],
  [2, null, 300_000],
  [9, null, 24 * HOUR],
  [1, 120_000, 120_000],
  [2, 1_000, 300_000],
  [1, 400 * HOUR, 24 * HOUR],
])("after attempt %i of a receiver that asks for %j ms the next is in %i ms", (attempts, retryAfterMs, expected) => {
  expect(nextAttemptAt(attempts, NOW, { retryAfterMs, random: 0 })).toBe(NOW + expected);
});

test("chance makes a wait longer by a twentieth at most", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), fc.double({ min: 0, max: 1, noNaN: true }), (attempts, random) => {
      const delay = RETRY_DELAYS_MS[attempts - 1] ?? 0;
      const wait = (nextAttemptAt(attempts, NOW, { retryAfterMs: null, random }) ?? 0) - NOW;
      expect(wait).toBeGreaterThanOrEqual(delay);
      expect(wait).toBeLessThanOrEqual(Math.ceil(delay * 1.05));
    }),
  );
});

test.each([
  [null, null],
  ["120", 120_000],
  [" 7 ", 7_000],
  ["0", 0],
  ["Fri, 20 Nov 2026 10:01:00 GMT", 60_000],
  ["Fri, 20 Nov 2026 09:00:00 GMT", 0],
  ["soon", null],
  ["-5", expect.anything()],
  ["99999999999999", expect.anything()],
  ["", null],
])("Retry-After %j asks for %j ms", (header, expected) => {
  const asked = readRetryAfter(header, NOW);
  if (expected === null || typeof expected === "number") expect(asked).toBe(expected);
  else expect(asked === null || asked >= 0).toBe(true);
});
