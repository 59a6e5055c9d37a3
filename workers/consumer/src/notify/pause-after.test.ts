import { DELIVERY_TIMEOUT_MS } from "@tidemark/contract";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { pauseAfter } from "./pause-after.ts";
import { type Attempt, unsent } from "./post.ts";
import { nextAttemptAt, RETRY_DELAYS_MS } from "./retry-schedule.ts";

const NOW = 1_000_000_000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const taken: Attempt = { ...unsent("status"), status: 200, error: null };
const asked = (retry_after_ms: number): Attempt => ({ ...unsent("status"), status: 429, retry_after_ms });

describe("a destination is left alone", () => {
  test.each([
    ["webhook", null, taken, 0],
    ["webhook", NOW - HOUR, unsent("status"), 0],
    ["webhook", null, asked(MINUTE), 0],
    ["webhook", null, unsent("timeout"), 5_000],
    ["webhook", NOW - MINUTE, unsent("unreachable"), MINUTE],
    ["webhook", NOW - 9 * HOUR, unsent("timeout"), HOUR],
    ["slack", null, taken, 3_000],
    ["slack", null, asked(1_000), 3_000],
    ["slack", null, asked(MINUTE), MINUTE],
    ["slack", null, asked(9 * HOUR), HOUR],
    ["slack", NOW - MINUTE, unsent("timeout"), MINUTE],
  ] as const)("(a %s that fails since %j, after %j) for %i ms", (kind, failing_since, attempt, pause) => {
    expect(pauseAfter({ kind, failing_since }, attempt, NOW)).toBe(pause);
  });

  test("never longer than a delivery that waits alone", () => {
    const took = fc.integer({ min: 0, max: DELIVERY_TIMEOUT_MS });
    const random = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.array(fc.tuple(took, random), { minLength: 9, maxLength: 9 }), (attempts) => {
        let now = NOW;
        let failing_since: number | null = null;
        for (const [index, [tookMs, jitter]] of attempts.entries()) {
          now += tookMs;
          const pause = pauseAfter({ kind: "webhook", failing_since }, unsent("timeout"), now);
          const nextAt = nextAttemptAt(index + 1, now, { retryAfterMs: null, random: jitter }) ?? 0;
          expect(now + pause).toBeLessThanOrEqual(nextAt);
          failing_since ??= now;
          now = nextAt;
        }
        expect(attempts.length).toBe(RETRY_DELAYS_MS.length);
      }),
    );
  });
});
