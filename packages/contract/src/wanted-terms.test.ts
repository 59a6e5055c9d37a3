import type { MetricType } from "@tidemark/core/terms";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UNIQUE_LIMIT_MAX } from "./limits.ts";
import { completeTerms, fromTerms, type LimitedMetric, type PartialTerms, toTerms, toUnits } from "./wanted-terms.ts";

const SUM: LimitedMetric = { aggregation: "sum", decimal_places: 2, group_by: ["model"] };
const SCHEDULE = { interval: { count: 1, period: "months" }, anchor: 0, time_zone: "UTC" } as const;
const FRAME = { schedule: SCHEDULE, accumulates: false, by_segment: false };

function read(wanted: PartialTerms, metric = SUM, type: MetricType = "limit_metered", frame = FRAME) {
  return toTerms(completeTerms(wanted, type), metric, frame);
}

describe("what is left out has the default of the metric's type", () => {
  test.each([
    ["limit_metered", "hard", null],
    ["limit_recurring", "soft", { cap: null, expires_after: null, overage: "forgive" }],
    ["charge_metered", "monitor", null],
    ["charge_recurring", "monitor", null],
  ] as const)("%s", (type, enforcement, carryover) => {
    expect(completeTerms({ base: 1 }, type)).toEqual({
      base: 1,
      enforcement,
      carryover,
      unavailable: "closed",
      late: "adjust",
      grace_seconds: 86_400,
      per: null,
      starts_from: "empty",
    });
    expect(completeTerms({ base: null }, type)).toMatchObject({ enforcement: "monitor", carryover: null });
  });

  test("but what is said stays, also that nothing is carried", () => {
    const said = { base: 1, enforcement: "monitor", carryover: null, late: "reject", per: "model" } as const;
    expect(completeTerms(said, "limit_recurring")).toMatchObject(said);
  });
});

test("quantities are whole numbers of the metric's smallest unit, times milliseconds", () => {
  const carryover = { cap: "0.5", expires_after: 3, overage: "debit" } as const;
  expect(read({ base: "12.5", carryover, grace_seconds: 60 })).toEqual({
    terms: {
      base: 1250,
      aggregation: "sum",
      enforcement: "hard",
      carryover: { cap: { units: 50 }, expires_after: 3, overage: "debit" },
      late: "adjust",
      grace_ms: 60_000,
      per: null,
      starts_from: "empty",
      ...FRAME,
    },
  });
});

describe("terms that make no sense are refused, by the field that says it", () => {
  const forgive = { cap: null, expires_after: null, overage: "forgive" } as const;
  test.each<readonly [string, PartialTerms, Partial<LimitedMetric>, readonly string[]]>([
    ["a base below 0", { base: -1 }, {}, ["base"]],
    ["a base with more places than the metric", { base: "0.001" }, {}, ["base"]],
    ["a base beyond 64 bits", { base: "92233720368547758.08" }, {}, ["base"]],
    ["a cap below 0", { base: 1, carryover: { ...forgive, cap: "-1" } }, {}, ["carryover"]],
    ["both", { base: -1, carryover: { ...forgive, cap: "-1" } }, {}, ["base", "carryover"]],
    ["a label that the metric has not", { base: 1, per: "region" }, {}, ["per"]],
    ["a label of a metric without one", { base: 1, per: "region" }, { group_by: [] }, ["per"]],
    ["a sum that begins with the last value", { base: 1, starts_from: "last" }, {}, ["starts_from"]],
    ["a minimum as a limit", { base: 1 }, { aggregation: "min" }, ["base"]],
    ["a maximum that is carried", { base: 1, carryover: forgive }, { aggregation: "max" }, ["carryover"]],
    ["enforcement of nothing", { base: null, enforcement: "soft" }, {}, ["enforcement"]],
    [
      "more distinct values than can be remembered",
      { base: UNIQUE_LIMIT_MAX + 1 },
      { aggregation: "unique", decimal_places: 0 },
      ["base"],
    ],
  ])("%s", (_name, wanted, metric, fields) => {
    const outcome = read(wanted, { ...SUM, ...metric });
    if (!("faults" in outcome)) throw new Error("It was not refused.");
    expect(outcome.faults.map(({ path }) => path[0])).toEqual(fields);
    for (const { detail } of outcome.faults) expect(detail).toMatch(/^[A-Z].*\.$/);
  });

  test("as many distinct values as can be remembered are not", () => {
    const metric: LimitedMetric = { aggregation: "unique", decimal_places: 0, group_by: [] };
    expect(read({ base: UNIQUE_LIMIT_MAX }, metric)).toHaveProperty("terms");
  });
});

test("a decimal is read exactly, or it is said what is wrong with it", () => {
  expect([toUnits("12.5", 1), toUnits(0.1, 2), toUnits("9223372036854775807", 0), toUnits(-3, 0)]).toEqual([
    125,
    10,
    9223372036854775807n,
    -3,
  ]);
  for (const [amount, places] of [
    ["1.5", 0],
    ["0.001", 2],
    ["9223372036854775808", 0],
  ] as const)
    expect(toUnits(amount, places)).toMatch(/^(Must|Is).*\.$/);
});

test("terms come back as people wrote them", () => {
  const quantity = fc.bigInt({ min: 0n, max: 10n ** 15n }).map((units) => `${units}`);
  const carryover = fc.record({
    cap: fc.oneof(quantity, fc.record({ percent: fc.nat(1_000) }), fc.constant(null)),
    expires_after: fc.option(fc.nat(50)),
    overage: fc.constantFrom("forgive" as const, "debit" as const),
  });
  const wanted = fc.record({
    base: quantity,
    enforcement: fc.constantFrom("hard" as const, "soft" as const, "monitor" as const),
    carryover: fc.option(carryover),
    late: fc.constantFrom("adjust" as const, "current" as const, "reject" as const),
    grace_seconds: fc.nat(1_000_000),
    per: fc.option(fc.constant("model")),
    starts_from: fc.constant("empty" as const),
  });
  fc.assert(
    fc.property(wanted, (terms) => {
      const outcome = read(terms);
      if (!("terms" in outcome)) throw new Error(JSON.stringify(outcome));
      expect(fromTerms(outcome.terms, SUM.decimal_places)).toEqual(terms);
    }),
  );
});
