import process from "node:process";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { assert, expect, test } from "vitest";
import { anyHistory } from "../test/any-history.ts";
import { BalanceDriver } from "../test/balance-driver.ts";
import type { Standing } from "../test/balance-history.ts";
import { BalanceOracle } from "../test/balance-oracle.ts";
import type { CycleState } from "./balance-cycle.ts";
import type { Balance } from "./balance.ts";
import type { Part } from "./bucket.ts";

/** Histories for the law; each has up to 60 commands. */
const RUNS = 20_000;
/** The oracle does everything again for each question. */
const ORACLE_RUNS = 3_000;
/** The same histories every time; another seed brings others: `ORACLE_SEED=$RANDOM npm test -- balance.property`. */
const ORACLE_SEED = Number(process.env["ORACLE_SEED"] ?? 20_261_121);
const TWIN_RUNS = 1_000;
const TIMEOUT_MS = 120_000;

test(
  "all that was granted was burned, expired, forfeited or repaid, or is held",
  () => {
    fc.assert(
      fc.property(anyHistory, ({ terms, start, commands }) => {
        const driver = new BalanceDriver(terms, start);
        for (const command of commands) {
          const { current } = driver.balance.state;
          const { overage } = current;
          const outcome = driver.run(command);
          expectSound(driver.balance, driver.standing());
          const isPromised = terms.enforcement === "hard" && command.kind === "consume" && outcome === "admitted";
          if (isPromised && driver.balance.state.current === current)
            assert(current.overage <= overage, "what a hard limit admits is no overage");
        }
      }),
      { numRuns: RUNS },
    );
  },
  TIMEOUT_MS,
);

test(
  "it stands where an oracle stands that does everything again from the beginning",
  () => {
    fc.assert(
      fc.property(anyHistory, ({ terms, start, commands }) => {
        const driver = new BalanceDriver(terms, start);
        const oracle = new BalanceOracle(terms, start);
        for (const command of commands) {
          const outcome = driver.run(command);
          const expected = oracle.run(command);
          const standing = oracle.standing();
          const { granted, burned, expired, forfeited, repaid, held } = standing;
          assert(granted === burned + expired + forfeited + repaid + held, "the law, for the oracle");
          if (oracle.isTangled) return;
          assert(outcome === expected, "they decide alike");
          expectSame(driver.standing(), standing);
        }
      }),
      { numRuns: ORACLE_RUNS, seed: ORACLE_SEED },
    );
  },
  TIMEOUT_MS,
);

test(
  "written down and read back after every command, it behaves identically",
  () => {
    fc.assert(
      fc.property(anyHistory, ({ terms, start, commands }) => {
        const driver = new BalanceDriver(terms, start);
        const twin = new BalanceDriver(terms, start);
        for (const command of commands) {
          const outcome = driver.run(command);
          assert(twin.run(command) === outcome, "they decide alike");
          expectSame(twin.balance.takeClosed(), driver.balance.takeClosed());
          twin.reload();
          expectSame(twin.balance.state, driver.balance.state);
        }
      }),
      { numRuns: TWIN_RUNS },
    );
  },
  TIMEOUT_MS,
);

test(
  "that somebody looks in between changes nothing",
  () => {
    fc.assert(
      fc.property(anyHistory, fc.integer({ min: 2, max: 7 }), ({ terms, start, commands }, looks) => {
        const driver = new BalanceDriver(terms, start);
        const watched = new BalanceDriver(terms, start);
        let before = start;
        for (const command of commands) {
          const step = Math.ceil((command.at - before) / looks);
          for (let at = before + step; at < command.at; at += step) watched.balance.advance(at);
          before = command.at;
          assert(watched.run(command) === driver.run(command), "they decide alike");
          expectSame(watched.balance.state, driver.balance.state);
        }
      }),
      { numRuns: TWIN_RUNS },
    );
  },
  TIMEOUT_MS,
);

/** As `toEqual`, which takes longer than all the rest where nothing differs. */
function expectSame(actual: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(actual, expected)) expect(actual).toEqual(expected);
}

function expectSound(balance: Balance, standing: Standing): void {
  const { granted, burned, expired, forfeited, repaid, held, remaining, reserved, limit } = standing;
  assert(granted === burned + expired + forfeited + repaid + held, "the law");
  const amounts = [granted, burned, expired, forfeited, repaid, held, reserved, remaining ?? 0n, limit ?? 0n];
  assert(!amounts.some((units) => units < 0n), "nothing is negative");
  const { current, previous, holds } = balance.state;
  for (const cycle of previous === null ? [current] : [previous, current]) {
    const parts = Array.from(holds.values()).flatMap((made) => (made.cycle === cycle.index ? made.parts : []));
    expectSoundCycle(cycle, sumsOf(parts));
  }
  for (const made of holds.values()) assert(totalOf(sumsOf(made.parts)) === BigInt(made.units), "a hold is its parts");
}

function expectSoundCycle(cycle: CycleState, held: Sums): void {
  const { used, burned, overage, credit, buckets } = cycle;
  const burns = sumsOf(cycle.burns);
  const deductions = sumsOf(cycle.deductions);
  assert(BigInt(used) === BigInt(burned) + BigInt(overage) - BigInt(credit), "used is burned, overage and credit");
  assert(overage <= 0 || buckets.every(({ left }) => left === 0), "overage has been paid by what could");
  assert(credit <= 0 || (burned === 0 && overage === 0), "what was returned has been taken back");
  assert(totalOf(burns) === BigInt(burned), "what was burned is known by its buckets");
  for (const bucket of buckets) {
    const { id, kind, units, left, lost } = bucket;
    assert(left >= 0 && bucket.held >= 0 && lost >= 0, "no bucket is negative");
    assert(BigInt(bucket.held) === (held.get(id) ?? 0n), "a bucket is held by holds");
    // A base that was lowered has no more than what was used of it; others have what they came with.
    const unused = BigInt(left) + BigInt(bucket.held) + (kind === "base" ? 0n : BigInt(lost));
    const gone = (burns.get(id) ?? 0n) + (deductions.get(id) ?? 0n);
    assert(BigInt(units) === unused + gone, "a bucket's units are all somewhere");
  }
}

type Sums = ReadonlyMap<string, bigint>;

/** Units by their bucket. */
function sumsOf(parts: readonly Part[]): Sums {
  const sums = new Map<string, bigint>();
  for (const [id, units] of parts) sums.set(id, (sums.get(id) ?? 0n) + BigInt(units));
  return sums;
}

function totalOf(sums: Sums): bigint {
  let total = 0n;
  for (const units of sums.values()) total += units;
  return total;
}
