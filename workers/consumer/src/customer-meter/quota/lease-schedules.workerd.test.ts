import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { type DecideReply, type DecideRequest, meterName } from "@tidemark/contract";
import { defineRequest } from "@tidemark/testing/quota";
import { expect, test } from "vitest";
import type { LeaseAnswer, LeaseRequest } from "@tidemark/sdk/lease-book";
import {
  type SimulationResult,
  simulateLeases,
  unluckySchedule,
} from "../../../../../packages/sdk/test/lease-simulation.ts";
import type { LeaseMeter } from "../../../../../packages/sdk/test/model-meter.ts";
import { seededRandom } from "../../../../../packages/sdk/test/seeded-random.ts";
import { decide } from "./decide.ts";
import { define } from "./define.ts";
import { NO_QUOTAS, Quotas } from "./quotas.ts";

const LIMIT = 1_000_000;
/** Long before the cycle ends. */
const START = Date.UTC(2026, 0, 10);
const ADDRESS = { project_id: "p", customer_id: "leases" };

/** The meter's own rules, in the place of the model that the client is tested with. */
class RealMeter implements LeaseMeter {
  readonly #quotas: Quotas;
  readonly #ttlMs: number;
  readonly #ends = new Map<string, number>();

  constructor(sql: SqlStorage, ttlMs: number) {
    this.#quotas = new Quotas(sql, ADDRESS, NO_QUOTAS, () => undefined);
    this.#ttlMs = Math.ceil(ttlMs);
    define(this.#quotas, defineRequest({ ...ADDRESS, terms: { base: LIMIT } }), START);
  }

  answer(request: LeaseRequest, now: number): LeaseAnswer | undefined {
    const at = START + now;
    const desk = { quotas: this.#quotas, now: at, isKnown: true, hasEvent: () => false };
    const { kind, answer } = { answer: undefined, ...decide(desk, this.#toRequest(request)).reply } as Replied;
    if (kind !== "lease" || answer === undefined) return undefined;
    this.#ends.set(request.id, Date.parse(answer.expires_at) - START);
    const { id, granted, sequence, remaining, ttl_ms } = answer;
    return { id, sequence, granted: Number(granted), remaining: Number(remaining), ttlMs: ttl_ms };
  }

  #toRequest(request: LeaseRequest): DecideRequest {
    const common = { ...ADDRESS, catalog_version: 1 };
    if (request.kind === "grant") {
      const { id, want } = request;
      return {
        ...common,
        kind: "lease",
        metric: "m",
        want,
        holder: id,
        id,
        ttl_ms: this.#ttlMs,
        return_after_ms: null,
      };
    }
    const { id, sequence, used, want } = request;
    return { ...common, kind: "report", lease: id, sequence, used, want, ttl_ms: null };
  }

  endsAt(id: string): number {
    return this.#ends.get(id) ?? -Infinity;
  }

  get view(): { readonly used: number; readonly reserved: number; readonly remaining: number } {
    const [live] = this.#quotas.all(START + 70_000);
    const { used = 0, reserved = 0, remaining = 0 } = live?.balance.view() ?? {};
    return { used: Number(used), reserved: Number(reserved), remaining: Number(remaining) };
  }
}

type Replied = Pick<DecideReply, "kind"> & {
  readonly answer: Extract<DecideReply, { kind: "lease" }>["answer"] | undefined;
};

async function withSql<Result>(work: (sql: SqlStorage) => Result): Promise<Result> {
  const stub = env.METERS.get(env.METERS.idFromName(meterName("p", "leases")));
  return runInDurableObject(stub, (_, state) => work(state.storage.sql));
}

function play(meter: RealMeter, seed: number): SimulationResult {
  const random = seededRandom(seed);
  return simulateLeases({ meter, ...unluckySchedule(random) });
}

test("in 1,000 schedules of crashes, delays, losses and partitions, 8 holders never admit more than the limit", async () => {
  const wrong: object[] = [];
  let tight = 0;
  let crashes = 0;
  for (let from = 1; from <= 1_000; from += 100) {
    await withSql((sql) => {
      for (let seed = from; seed < from + 100; seed++) {
        const meter = new RealMeter(sql, 2_000 + seededRandom(seed)() * 20_000);
        const result = play(meter, seed);
        const { used, reserved, remaining } = meter.view;
        const isRight =
          result.admitted <= LIMIT &&
          result.late === 0 &&
          used <= result.admitted &&
          used + reserved >= result.admitted &&
          used + reserved + remaining === LIMIT;
        if (!isRight) wrong.push({ seed, ...result, used, reserved, remaining });
        tight += result.admitted > 0.9 * LIMIT ? 1 : 0;
        crashes += result.crashes;
      }
    });
  }
  expect(wrong).toEqual([]);
  // Schedules that never come near the limit would show nothing.
  expect(tight).toBeGreaterThan(700);
  expect(crashes).toBeGreaterThan(2_000);
}, 120_000);

test("without faults a million units are admitted in at most 250 calls", async () => {
  const { result, view } = await withSql((sql) => {
    const meter = new RealMeter(sql, 60_000);
    const options = {
      holders: 8,
      durationMs: 35_000,
      unitsPerSecond: 5_000,
      unitsAtOnce: 5,
      delayMs: [10, 60],
    } as const;
    const luck = { lossChance: 0, crashChance: 0, partitionChance: 0 };
    return { result: simulateLeases({ meter, random: seededRandom(1), ...options, ...luck }), view: meter.view };
  });
  expect(result.admitted).toBe(LIMIT);
  expect(result.calls).toBeLessThanOrEqual(250);
  expect(view.remaining).toBe(0);
});
