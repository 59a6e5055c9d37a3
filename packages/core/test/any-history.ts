import fc from "fast-check";
import type { Command, HistoryTerms } from "./balance-history.ts";
import { boundaryAfter, boundaryAt, type UtcInterval } from "./utc-cycles.ts";

/** What begins a balance, and what is then done to it. */
export interface History {
  readonly terms: HistoryTerms;
  readonly start: number;
  readonly commands: readonly Command[];
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** The last day of a month, so that shorter months clamp it. */
const ANCHOR = Date.parse("2026-01-31T06:00Z");
const COMMANDS_MAX = 60;

type Interval = Pick<HistoryTerms, "interval" | "anchor">;

/** Where time goes next. */
const anyStep: fc.Arbitrary<(now: number, interval: Interval) => number> = fc.oneof(
  { weight: 6, arbitrary: fc.constant((now: number) => now) },
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 30 * HOUR_MS }).map((ms) => (now: number) => now + ms) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(-1, 0, 1).map((offset) => (now: number, { interval, anchor }: Interval) => {
      return Math.max(now, boundaryAfter(interval, anchor, now) + offset);
    }),
  },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 2, max: 4 }).map(
      (cycles) =>
        (now: number, { interval, anchor }: Interval) =>
          afterCycles(now, interval, anchor, cycles),
    ),
  },
);

function afterCycles(now: number, interval: UtcInterval, anchor: number, cycles: number): number {
  let then = now;
  for (let i = 0; i < cycles; i++) then = boundaryAfter(interval, anchor, then);
  return then;
}

/** Mostly small, sometimes beyond what a number holds exactly. */
const anyUnits = fc.oneof(
  { weight: 12, arbitrary: fc.bigInt({ min: 0n, max: 1_500n }) },
  { weight: 3, arbitrary: fc.bigInt({ min: 0n, max: 10n }) },
  { weight: 1, arbitrary: fc.bigInt({ min: 2n ** 53n - 2n, max: 2n ** 55n }) },
);
const anySigned = fc.oneof(
  { weight: 4, arbitrary: anyUnits },
  { weight: 1, arbitrary: anyUnits.map((units) => -units) },
);
const anyBase = fc.oneof(
  { weight: 10, arbitrary: fc.bigInt({ min: 0n, max: 2_000n }) },
  { weight: 1, arbitrary: fc.bigInt({ min: 2n ** 53n - 2n, max: 2n ** 54n }) },
);
const anyHoldId = fc.constantFrom("a", "b", "c");
/** Ends soon, within days, or after some cycles. */
const anyLife = fc.oneof(fc.integer({ min: 1, max: 30 * HOUR_MS }), fc.integer({ min: 1, max: 70 * DAY_MS }));

/** A command without its time, which is known only when all the steps before it are. */
type Draft = (at: number, index: number, interval: Interval) => Command;

const looks = fc.constant<Draft>((at) => ({ kind: "look", at }));
const uses = anySigned.map((units): Draft => (at) => ({ kind: "consume", at, units }));
/** Of now, of some time before, or of a clock that goes ahead. */
const facts = fc
  .record({ units: anySigned, age: fc.oneof(fc.constant(0), anyLife), ahead: fc.nat(9) })
  .map(({ units, age, ahead }): Draft => {
    return (at) => ({ kind: "fact", at, units, instant: ahead === 0 ? at + age : at - age });
  });
/** Of the last moment of the cycle before, or of an older one. */
const lateFacts = fc
  .record({ units: anySigned, cycles: fc.nat(2) })
  .map(({ units, cycles }): Draft => (at, _index, { interval, anchor }) => {
    let cycle = 0;
    while (boundaryAt(interval, anchor, cycle + 1) <= at) cycle++;
    return { kind: "fact", at, units, instant: boundaryAt(interval, anchor, cycle - cycles) - 1 };
  });
const holds = fc
  .record({ id: anyHoldId, units: anyUnits, on_expiry: fc.constantFrom("release", "charge", "stay"), life: anyLife })
  .map(({ life, ...hold }): Draft => (at) => ({ kind: "hold", at, ...hold, expires_at: at + life }));
const extensions = fc.record({ id: anyHoldId, units: anyUnits }).map((more): Draft => (at) => ({
  kind: "extend",
  at,
  ...more,
}));
const commits = fc.record({ id: anyHoldId, units: anyUnits }).map((used): Draft => (at) => ({
  kind: "commit",
  at,
  ...used,
}));
const releases = anyHoldId.map((id): Draft => (at) => ({ kind: "release", at, id }));
const grants = fc.record({ units: anyUnits, life: fc.option(anyLife) }).map(({ units, life }): Draft => {
  return (at, index) => ({ kind: "grant", at, id: `t${index}`, units, expires_at: life === null ? null : at + life });
});
const deductions = anyUnits.map((units): Draft => (at) => ({ kind: "deduct", at, units }));
/** Rare: nothing much happens after it. */
const ends = fc.nat(9).map((chance): Draft => (at) => ({ kind: chance === 0 ? "end" : "look", at }));

function anyDraft(base: fc.Arbitrary<bigint | null>): fc.Arbitrary<Draft> {
  const changes = fc
    .record({ base, mode: fc.constantFrom("keep", "prorate", "restart") })
    .map((change): Draft => (at) => ({ kind: "change", at, ...change }));
  return fc.oneof(
    { weight: 10, arbitrary: uses },
    { weight: 8, arbitrary: facts },
    { weight: 6, arbitrary: lateFacts },
    { weight: 5, arbitrary: holds },
    { weight: 3, arbitrary: commits },
    { weight: 3, arbitrary: releases },
    { weight: 3, arbitrary: grants },
    { weight: 2, arbitrary: changes },
    { weight: 2, arbitrary: looks },
    { weight: 1, arbitrary: extensions },
    { weight: 1, arbitrary: deductions },
    { weight: 1, arbitrary: ends },
  );
}

const anyInterval = fc.constantFrom<UtcInterval>(
  { count: 1, period: "days" },
  { count: 3, period: "days" },
  { count: 1, period: "weeks" },
  { count: 1, period: "months" },
);
const anyCap = fc.oneof(
  fc.constant(null),
  fc.oneof(fc.constant(0n), anyUnits).map((units) => ({ units })),
  fc.constantFrom(0, 10, 50, 100, 150).map((percent) => ({ percent })),
);
const anyCommon = {
  late: fc.constantFrom("adjust", "current", "reject"),
  grace_ms: fc.constantFrom(0, DAY_MS, 60 * DAY_MS),
  interval: anyInterval,
  anchor: fc.constant(ANCHOR),
} as const;
const anyLimit: fc.Arbitrary<HistoryTerms> = fc.record({
  ...anyCommon,
  base: anyBase,
  enforcement: fc.constantFrom("hard", "soft", "monitor"),
  carryover: fc.option(
    fc.record({
      cap: anyCap,
      expires_after: fc.constantFrom(null, 0, 1, 2, 3),
      overage: fc.constantFrom("forgive", "debit"),
    }),
  ),
});
const anyCount: fc.Arbitrary<HistoryTerms> = fc.record({
  ...anyCommon,
  base: fc.constant(null),
  enforcement: fc.constant("monitor"),
  carryover: fc.constant(null),
});

/** A balance's life, from terms to its last command. Time only goes forward. */
export const anyHistory: fc.Arbitrary<History> = fc
  .oneof({ weight: 12, arbitrary: anyLimit }, { weight: 1, arbitrary: anyCount })
  .chain((terms) =>
    fc.record({
      terms: fc.constant(terms),
      start: fc.integer({ min: 0, max: 40 * DAY_MS }).map((later) => ANCHOR + later),
      // Carryover needs a base: only without it may a base go away.
      plan: fc.array(
        fc.tuple(
          anyStep,
          anyDraft(terms.carryover === null && terms.enforcement === "monitor" ? fc.option(anyBase) : anyBase),
        ),
        { minLength: 1, maxLength: COMMANDS_MAX, size: "max" },
      ),
    }),
  )
  .map(({ terms, start, plan }) => {
    let at = start;
    const commands = plan.map(([step, draft], index) => {
      at = step(at, terms);
      return draft(at, index, terms);
    });
    return { terms, start, commands };
  });
