import { describe, expect, test, vi } from "vitest";
import { simulateLeases, unluckySchedule } from "../test/lease-simulation.ts";
import { ModelMeter } from "../test/model-meter.ts";
import { seededRandom } from "../test/seeded-random.ts";
import { type LeaseAnswer, LeaseBook, type LeaseRequest } from "./lease-book.ts";

// A thousand schedules take seconds, and longer on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const LIMIT = 1_000_000;
const NO_FAULTS = { lossChance: 0, crashChance: 0, partitionChance: 0 } as const;

describe("one holder", () => {
  test("nothing is admitted before the first grant", () => {
    const book = newBook();
    expect(book.take(1, 0)).toBe(false);
    expect(sent(book, 0)).toEqual({ kind: "grant", id: "lease-1", want: 100 });
    expect(book.take(1, 1)).toBe(false);
  });

  test("exactly what is held is admitted", () => {
    const book = granted({ granted: 3 });
    expect([1, 1, 1, 1].map((units) => book.take(units, 100))).toEqual([true, true, true, false]);
  });

  test("a take of more than is held leaves what is held to smaller ones", () => {
    const book = granted({ granted: 3 });
    expect(book.take(4, 100)).toBe(false);
    expect(book.take(3, 100)).toBe(true);
  });

  test("a lease ends its lifetime after its request was first sent, however late the answer", () => {
    const book = newBook();
    const request = sent(book, 1_000);
    book.lost(request, 2_000);
    expect(sent(book, 10_000)).toBe(request);
    book.answered(request, { ...ANSWER, ttlMs: 20_000 }, 11_000);
    expect(book.take(1, 20_999)).toBe(true);
    expect(book.take(1, 21_000)).toBe(false);
  });

  test("an expired lease gives back what it holds, and another is asked for", () => {
    const book = granted({ ttlMs: 5_000 });
    book.take(30, 100);
    const report = sent(book, 5_000);
    expect(report).toEqual({ kind: "report", id: "lease-1", sequence: 1, used: 30, want: null });
    book.answered(report, { ...ANSWER, granted: 0, sequence: 2 }, 5_050);
    expect(sent(book, 5_050)).toMatchObject({ kind: "grant", id: "lease-2" });
  });

  test("a report that was lost is sent again unchanged, whatever was admitted since", () => {
    const book = granted();
    book.take(90, 100);
    const report = sent(book, 100);
    expect(report).toMatchObject({ kind: "report", sequence: 1, used: 90 });
    book.take(5, 200);
    book.lost(report, 300);
    expect(sent(book, 10_000)).toBe(report);
  });

  test("what is admitted while a report is under way comes out of its answer", () => {
    const book = granted();
    book.take(90, 100);
    const report = sent(book, 100);
    book.take(4, 200);
    book.answered(report, { ...ANSWER, granted: 50, sequence: 2 }, 300);
    expect(book.take(47, 300)).toBe(false);
    expect(book.take(46, 300)).toBe(true);
    expect(sent(book, 300)).toMatchObject({ sequence: 2, used: 50 });
  });

  test("an answer to a request that is settled changes nothing", () => {
    const book = granted({ granted: 10 });
    book.take(10, 100);
    const report = sent(book, 100);
    book.answered(report, { ...ANSWER, granted: 5, sequence: 2 }, 200);
    book.take(5, 200);
    book.answered(report, { ...ANSWER, granted: 5, sequence: 2 }, 300);
    expect(book.take(1, 300)).toBe(false);
  });

  test("a request without answer is lost after its time, and sent again", () => {
    const book = newBook();
    const request = sent(book, 0);
    expect(book.next(2_999)).toEqual({ kind: "wait", until: 3_000 });
    expect(book.next(3_000)).toMatchObject({ kind: "wait" });
    expect(sent(book, 10_000)).toBe(request);
  });

  test("after a grant of nothing it waits before it asks again, longer each time", () => {
    const book = newBook();
    let now = 0;
    const waits = [1, 2, 3, 4, 5, 6, 7].map((sequence) => {
      const request = sent(book, now);
      book.answered(request, { ...ANSWER, granted: 0, sequence, remaining: 0, ttlMs: 1e9 }, now);
      book.take(1, now);
      const action = book.next(now);
      const waited = action.kind === "wait" ? action.until - now : NaN;
      now += waited;
      return waited;
    });
    expect(waits).toEqual([750, 1_500, 3_000, 6_000, 12_000, 22_500, 22_500]);
  });

  test("a refill that brings too little for the take that asked is not asked for at once again", () => {
    const book = granted({ granted: 3, remaining: 0 });
    book.take(5, 100);
    const report = sent(book, 100);
    book.answered(report, { ...ANSWER, granted: 3, sequence: 2, remaining: 0 }, 150);
    book.take(5, 200);
    expect(book.next(200)).toMatchObject({ kind: "wait" });
    expect(book.take(3, 200)).toBe(true);
  });

  test("it never wants more than an eighth of what remained", () => {
    const book = granted({ granted: 100, remaining: 80 });
    book.take(100, 10);
    expect(sent(book, 10)).toMatchObject({ want: 10 });
  });

  test("a take that needs more than an eighth asks for what it needs, if that remains", () => {
    const book = granted({ granted: 100, remaining: 80 });
    book.take(100, 10);
    book.take(60, 10);
    expect(sent(book, 10)).toMatchObject({ want: 60 });
  });

  test("grants double while they run dry fast, and halve while they last", () => {
    const book = granted();
    let request: LeaseRequest;
    const wants = [1, 2, 3, 4].map((sequence) => {
      const held = sequence === 1 ? 100 : 2 ** (sequence - 1) * 100;
      book.take(held, sequence * 100);
      request = sent(book, sequence * 100);
      const want = request.want ?? 0;
      book.answered(request, { ...ANSWER, granted: want, sequence: sequence + 1 }, sequence * 100 + 10);
      return want;
    });
    expect(wants).toEqual([200, 400, 800, 1_600]);
    book.take(1, 40_000);
    expect(sent(book, 46_000)).toMatchObject({ used: 1, want: 800 });
  });

  test("a lease of which something was used is renewed before it ends", () => {
    const book = granted({ ttlMs: 40_000 });
    book.take(1, 100);
    expect(book.next(20_000)).toEqual({ kind: "wait", until: 30_012.5 });
    expect(sent(book, 30_013)).toMatchObject({ kind: "report", used: 1, want: 50 });
  });

  test("an idle lease is given back in the place of a renewal, and another is asked for with the next take", () => {
    const book = granted({ ttlMs: 40_000 });
    const report = sent(book, 30_013);
    expect(report).toEqual({ kind: "report", id: "lease-1", sequence: 1, used: 0, want: null });
    expect(book.take(1, 30_020)).toBe(false);
    book.answered(report, { ...ANSWER, granted: 0, sequence: 2 }, 30_050);
    const grant = sent(book, 30_050);
    expect(grant).toMatchObject({ kind: "grant", id: "lease-2" });
    book.answered(grant, { ...ANSWER, id: "lease-2" }, 30_100);
    expect(book.take(1, 30_100)).toBe(true);
  });

  test("after an idle lease nothing is asked for until somebody takes", () => {
    const book = granted({ ttlMs: 40_000 });
    book.answered(sent(book, 30_013), { ...ANSWER, granted: 0, sequence: 2 }, 30_050);
    for (const now of [30_050, 1e9]) expect(book.next(now)).toEqual({ kind: "idle" });
    book.take(1, 1e9);
    expect(sent(book, 1e9)).toMatchObject({ kind: "grant", id: "lease-2" });
  });

  test("a lease that was used once lies idle from its next renewal on", () => {
    const book = granted({ ttlMs: 40_000 });
    book.take(1, 100);
    book.answered(sent(book, 30_013), { ...ANSWER, sequence: 2, ttlMs: 40_000 }, 30_050);
    expect(sent(book, 69_000)).toMatchObject({ sequence: 2, used: 0, want: null });
  });

  test("where nothing is granted for no time there is no lease, and the next attempt waits", () => {
    const book = newBook();
    const none = { ...ANSWER, granted: 0, ttlMs: 0, remaining: 0 };
    book.answered(sent(book, 0), none, 50);
    expect(book.next(50)).toEqual({ kind: "wait", until: 800 });
    expect(book.next(800)).toEqual({ kind: "idle" });
    book.take(1, 900);
    expect(sent(book, 900)).toMatchObject({ kind: "grant", id: "lease-2" });
  });

  test("closing reports what was used and gives back the rest, after the request that is under way", () => {
    const book = granted();
    book.take(90, 100);
    const report = sent(book, 100);
    book.take(3, 150);
    book.close();
    expect(book.take(1, 160)).toBe(false);
    book.answered(report, { ...ANSWER, granted: 100, sequence: 2 }, 200);
    const last = sent(book, 200);
    expect(last).toEqual({ kind: "report", id: "lease-1", sequence: 2, used: 3, want: null });
    book.answered(last, { ...ANSWER, granted: 0, sequence: 3 }, 300);
    expect(book.next(300)).toEqual({ kind: "done" });
  });

  test("a lease that the meter does not know admits nothing more, and tells what it could not report", () => {
    const book = granted();
    book.take(90, 100);
    const report = sent(book, 100);
    book.take(3, 150);
    expect(book.refused(report, 200)).toBe(93);
    expect(book.take(1, 200)).toBe(false);
    expect(book.next(200)).toMatchObject({ kind: "wait" });
    expect(sent(book, 2_000)).toMatchObject({ kind: "grant" });
  });
});

describe("eight holders", () => {
  test("that are idle leave everything to whoever needs it", () => {
    const meter = new ModelMeter({ limit: 800, ttlMs: 20_000, repeatsLifetime: false, renewsExpired: false });
    const idle = { durationMs: 60_000, unitsPerSecond: 0.001, unitsAtOnce: 1, delayMs: [10, 60] } as const;
    simulateLeases({ meter, random: seededRandom(1), holders: 8, ...idle, ...NO_FAULTS });
    expect(meter.remaining).toBe(800 - meter.burned);
  });

  test("together admit a million units in at most 250 calls, and none of them is left over", () => {
    const meter = new ModelMeter({ limit: LIMIT, ttlMs: 60_000, repeatsLifetime: false, renewsExpired: false });
    const result = simulateLeases({
      meter,
      random: seededRandom(1),
      holders: 8,
      durationMs: 35_000,
      unitsPerSecond: 5_000,
      unitsAtOnce: 5,
      delayMs: [10, 60],
      ...NO_FAULTS,
    });
    expect(result.admitted).toBe(LIMIT);
    expect(result.calls).toBeLessThanOrEqual(250);
  });

  test("never admit more than the limit in 1,000 schedules of crashes, delays, losses and partitions", () => {
    let tight = 0;
    let crashes = 0;
    for (let seed = 1; seed <= 1_000; seed++) {
      const { meter, result } = playFaults(seed);
      if (result.admitted > LIMIT || result.late > 0 || meter.burned > result.admitted) {
        expect({ seed, ...result, burned: meter.burned }).toMatchObject({ admitted: LIMIT, late: 0 });
      }
      expect(meter.remaining).toBeGreaterThanOrEqual(0);
      tight += result.admitted > 0.9 * LIMIT ? 1 : 0;
      crashes += result.crashes;
    }
    // Schedules that never come near the limit would show nothing.
    expect(tight).toBeGreaterThan(700);
    expect(crashes).toBeGreaterThan(2_000);
  });
});

function playFaults(seed: number): { meter: ModelMeter; result: ReturnType<typeof simulateLeases> } {
  const random = seededRandom(seed);
  const meter = new ModelMeter({
    limit: LIMIT,
    ttlMs: 2_000 + random() * 20_000,
    repeatsLifetime: random() < 0.5,
    renewsExpired: random() < 0.5,
  });
  const result = simulateLeases({ meter, ...unluckySchedule(random) });
  return { meter, result };
}

const ANSWER: LeaseAnswer = { id: "lease-1", granted: 100, sequence: 1, ttlMs: 60_000, remaining: LIMIT };

function newBook(): LeaseBook {
  let lastId = 0;
  return new LeaseBook({ want: 100, requestMsMax: 3_000, newId: () => `lease-${++lastId}`, random: () => 0.5 });
}

/** A book at 0 ms whose first grant was answered after 50 ms. */
function granted(answer: Partial<LeaseAnswer> = {}): LeaseBook {
  const book = newBook();
  book.answered(sent(book, 0), { ...ANSWER, ...answer }, 50);
  return book;
}

function sent(book: LeaseBook, now: number): LeaseRequest {
  const action = book.next(now);
  if (action.kind !== "send") throw new Error(`Instead of sending: ${JSON.stringify(action)}`);
  return action.request;
}
