import type { BalanceDefinition } from "@tidemark/contract";
import { UNLIMITED_TERMS } from "@tidemark/contract/subscribe";
import { toTerms } from "@tidemark/contract/wanted-terms";
import { describe, expect, test } from "vitest";
import { feeCycles } from "./charged-cycle.ts";

const at = (text: string): number => Date.parse(`2026-${text}Z`);

function fee(created_at: number, ended_at: number | null = null, anchor = at("01-31T00:00")) {
  const schedule = { interval: { count: 1, period: "months" }, anchor, time_zone: "UTC" } as const;
  const metric = { aggregation: "count", decimal_places: 0, group_by: [] } as const;
  const made = toTerms(UNLIMITED_TERMS, metric, { schedule, accumulates: false, by_segment: false });
  if (!("terms" in made)) throw new Error("They make sense.");
  const definition: BalanceDefinition = {
    id: "sub_1",
    metric_id: "",
    terms: made.terms,
    unavailable: "closed",
    product: null,
  };
  return { definition, created_at, ended_at };
}

function read(subscription: ReturnType<typeof fee>, now: number, before = Number.MAX_SAFE_INTEGER, limit = 100) {
  return feeCycles(subscription, { now, before, limit }).map(({ start, end, status }) => [
    new Date(start).toISOString().slice(5, 10),
    new Date(end).toISOString().slice(5, 10),
    status,
  ]);
}

describe("a subscription without a metric", () => {
  test("has the cycles from the one that it began in to the one of now, clamped to the month's end (V8)", () => {
    expect(read(fee(at("02-10T00:00")), at("04-30T00:00"))).toEqual([
      ["04-30", "05-31", "open"],
      ["03-31", "04-30", "final"],
      ["02-28", "03-31", "final"],
      ["01-31", "02-28", "final"],
    ]);
  });

  test("ends its last cycle when it is cancelled", () => {
    expect(read(fee(at("02-10T00:00"), at("03-05T00:00")), at("09-01T00:00"))).toEqual([
      ["02-28", "03-05", "final"],
      ["01-31", "02-28", "final"],
    ]);
    expect(read(fee(at("02-10T00:00"), at("02-28T00:00")), at("09-01T00:00"))).toEqual([["01-31", "02-28", "final"]]);
  });

  test("has none that another one goes on with, also when it began in that cycle", () => {
    for (const created of ["02-28T00:00", "03-05T00:00"])
      expect(read(fee(at(created), at("02-28T00:00")), at("09-01T00:00"))).toEqual([]);
  });

  test("is read page by page", () => {
    const subscription = fee(at("02-10T00:00"));
    const [, second] = read(subscription, at("04-30T00:00"), Number.MAX_SAFE_INTEGER, 2);
    expect(read(subscription, at("04-30T00:00"), at("04-30T00:00"), 1)).toEqual([["02-28", "03-31", "final"]]);
    expect(read(subscription, at("04-30T00:00"), at("04-30T00:00") + 1, 1)).toEqual([second]);
  });
});
