import { expect, test } from "vitest";
import { Breaker } from "./breaker.ts";

test("a few failures leave it closed, and a success forgets them", () => {
  const breaker = new Breaker();
  for (let round = 0; round < 3; round++) {
    for (let failure = 0; failure < 4; failure++) breaker.failed(0);
    expect(breaker.permits(0)).toBe(true);
    breaker.succeeded();
  }
});

test("after failures in a row it lets single probes pass, with pauses that double up to half a minute", () => {
  const breaker = new Breaker();
  for (let failure = 0; failure < 5; failure++) breaker.failed(0);
  let now = 0;
  const pauses = [1, 2, 3, 4, 5, 6, 7].map(() => {
    const failedAt = now;
    while (!breaker.permits(now)) now += 500;
    expect(breaker.permits(now)).toBe(false);
    breaker.failed(now);
    return now - failedAt;
  });
  expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
});

test("a probe that succeeds closes it", () => {
  const breaker = open();
  expect(breaker.permits(1_000)).toBe(true);
  breaker.succeeded();
  expect([breaker.permits(1_000), breaker.permits(1_000)]).toEqual([true, true]);
});

test("a probe that never ends only delays the next one", () => {
  const breaker = open();
  expect([1_000, 1_500, 2_000].map((now) => breaker.permits(now))).toEqual([true, false, true]);
});

function open(): Breaker {
  const breaker = new Breaker();
  for (let failure = 0; failure < 5; failure++) breaker.failed(0);
  return breaker;
}
