import { describe, expect, test } from "vitest";
import type { Json } from "./event.ts";
import { addExact, type Exact } from "./exact.ts";
import type { FilterTree } from "./filter.ts";
import { type Aggregation, compileCatalog, compileMetric, evaluate, hash52, type Metric } from "./metric.ts";

type Properties = Readonly<Record<string, Json>>;

function metric(fields: Partial<Metric> = {}): Metric {
  return {
    id: "met_1",
    slug: "m",
    version: 1,
    counter_id: "met_1",
    received_from: null,
    counts_from: null,
    counts_until: null,
    backfilled: [],
    event_matchers: [{ event: "api_request" }],
    filters: null,
    aggregation: "count",
    value_property: null,
    distinct_by: null,
    group_by: [],
    segments: [],
    exposed_event_keys: [],
    decimal_places: 0,
    ...fields,
  };
}

function event(properties?: Properties, name = "api_request") {
  return { id: "e1", event: name, customer_id: "acme", properties };
}

function evaluated(fields: Partial<Metric>, properties?: Properties, instant = 0) {
  return evaluate(compileMetric(metric(fields)), event(properties), instant);
}

/** What the events of one metric add up to, and those it did not take. */
function total(fields: Partial<Metric>, events: readonly ReturnType<typeof event>[]): Exact | undefined {
  const catalog = compileCatalog([metric(fields)]);
  let sum: Exact | undefined = 0;
  for (const one of events) {
    for (const compiled of catalog.get(one.event) ?? []) {
      const result = evaluate(compiled, one, 0);
      if (result.kind === "counted" && sum !== undefined) sum = addExact(sum, result.value);
    }
  }
  return sum;
}

const OK: FilterTree = { and: [{ property: "status", op: "equals", value: 200 }] };
const EU: FilterTree = { and: [{ property: "region", op: "equals", value: "eu" }] };
const PAID: FilterTree = { and: [{ property: "plan", op: "in", value: ["pro", "enterprise"] }] };

describe("what the seeds count", () => {
  test("events that any matcher matches: api_request OR api_call (features 10-12, 64)", () => {
    const event_matchers = [{ event: "api_request" }, { event: "api_call" }];
    const events = ["api_request", "api_call", "api_request", "login", "API_REQUEST"].map((name) => event({}, name));
    expect(total({ event_matchers }, events)).toBe(3);
  });

  test("an event once, though two matchers name it", () => {
    expect(total({ event_matchers: [{ event: "api_request" }, { event: "api_request" }] }, [event()])).toBe(1);
  });

  test("only what passes the filters, whichever matcher took it: status = 200 (features 13, 14)", () => {
    const event_matchers = [{ event: "api_request" }, { event: "api_call" }];
    const events = [
      event({ status: 200 }),
      event({ status: 200 }, "api_call"),
      event({ status: 500 }),
      event({ status: 404 }, "api_call"),
      event({}),
    ];
    expect(total({ event_matchers, filters: OK }, events)).toBe(2);
  });

  test("the number of events (features 15, 61)", () => {
    expect(total({}, [event(), event(), event()])).toBe(3);
    expect(evaluated({ decimal_places: 2 })).toMatchObject({ kind: "counted", value: 100 });
  });

  test("the sum of a property (features 16, 62): tokens, storage, revenue", () => {
    const sum = (decimal_places: number, values: readonly Json[]) =>
      total(
        { aggregation: "sum", value_property: "n", decimal_places },
        values.map((n) => event({ n })),
      );
    expect(sum(0, [1200, 800, "18000"])).toBe(20_000);
    expect(sum(2, [0.1, "0.2", 12.5, -3])).toBe(980);
    expect(sum(0, [Number.MAX_SAFE_INTEGER, 1, 1])).toBe(9007199254740993n);
  });

  test("the sum of a property inside others", () => {
    expect(total({ aggregation: "sum", value_property: "usage.output" }, [event({ usage: { output: 7 } })])).toBe(7);
  });

  test("usage split by labels (feature 54)", () => {
    const group_by = ["region", "plan", "user.tier"];
    expect(evaluated({ group_by }, { region: "eu", user: { tier: 3 } })).toMatchObject({ labels: ["eu", "", "3"] });
    expect(evaluated({ group_by: ["a"] }, { a: "x".repeat(2_000) })).toMatchObject({ labels: [`${"x".repeat(999)}…`] });
  });

  test.each<[Properties, number]>([
    [{ region: "eu", plan: "pro" }, 0b11],
    [{ region: "eu", plan: "free" }, 0b01],
    [{ region: "us", plan: "enterprise" }, 0b10],
    [{ region: "us" }, 0],
    [{}, 0],
  ])("in which segments %j is (features 70-72)", (properties, segments) => {
    const named = [
      { name: "EU", filters: EU },
      { name: "Paid", filters: PAID },
    ];
    expect(evaluated({ segments: named }, properties)).toMatchObject({ kind: "counted", segments });
  });
});

describe("a value that cannot be read is rejected, and never 0", () => {
  const numeric: readonly Aggregation[] = ["sum", "max", "min", "latest"];
  const cases: [Json | undefined, string][] = [
    [undefined, "value_missing"],
    [null, "value_missing"],
    ["", "not_a_number"],
    ["1,000", "not_a_number"],
    ["NaN", "not_a_number"],
    [true, "not_a_number"],
    [[1], "not_a_number"],
    [{ n: 1 }, "not_a_number"],
    [1.5, "too_precise"],
    ["9223372036854775808", "out_of_range"],
  ];
  test.each(cases)("%j: %s", (n, code) => {
    for (const aggregation of numeric)
      expect(evaluated({ aggregation, value_property: "n" }, n === undefined ? {} : { n })).toMatchObject({
        kind: "rejected",
        code,
        found: n,
      });
  });

  test.each<[Json | undefined, string]>([
    [undefined, "value_missing"],
    [null, "value_missing"],
    ["", "value_missing"],
    [["u"], "not_an_id"],
    [{ id: "u" }, "not_an_id"],
  ])("an id that is %j: %s", (user, code) => {
    const properties = user === undefined ? {} : { user };
    expect(evaluated({ aggregation: "unique", distinct_by: "user" }, properties)).toMatchObject({
      kind: "rejected",
      code,
    });
  });

  test("with its labels and segments, so that it shows where it is missing", () => {
    const fields = {
      aggregation: "sum",
      value_property: "n",
      group_by: ["region"],
      segments: [{ name: "EU", filters: EU }],
    };
    expect(evaluated(fields as Partial<Metric>, { region: "eu" })).toEqual({
      kind: "rejected",
      code: "value_missing",
      found: undefined,
      labels: ["eu"],
      segments: 1,
    });
  });
});

describe("a distinct count", () => {
  const unique = { aggregation: "unique", distinct_by: "user" } as const;
  test("takes numbers and texts that are written alike for one id", () => {
    const ids = [5, "5"].map((user) => evaluated(unique, { user }));
    expect(ids[0]).toEqual(ids[1]);
    expect(ids[0]).toMatchObject({ kind: "counted", value: hash52("5") });
    expect(evaluated(unique, { user: "5.0" })).not.toEqual(ids[0]);
  });

  test("has ids of 52 bits, which differ", () => {
    const hashes = Array.from({ length: 10_000 }, (_, i) => hash52(`user_${i}`));
    expect(new Set(hashes).size).toBe(10_000);
    expect(hashes.every((hash) => Number.isSafeInteger(hash) && hash >= 0 && hash < 2 ** 52)).toBe(true);
  });
});

describe("a version counts what is its own", () => {
  test.each<[Partial<Metric>, number, number, string]>([
    [{}, -1, 0, "counted"],
    [{ counts_from: 100 }, 99, 500, "unmatched"],
    [{ counts_from: 100 }, 100, 500, "counted"],
    [{ counts_until: 100 }, 99, 500, "counted"],
    [{ counts_until: 100 }, 100, 500, "unmatched"],
    [{ received_from: 500 }, 100, 499, "unmatched"],
    [{ received_from: 500 }, 100, 500, "counted"],
    [{ counts_from: 100, backfilled: [[10, 20]] }, 9, 500, "unmatched"],
    [{ counts_from: 100, backfilled: [[10, 20]] }, 10, 500, "counted"],
    [{ counts_from: 100, backfilled: [[10, 20]] }, 20, 500, "unmatched"],
    [{ received_from: 500, backfilled: [[10, 20]] }, 10, 400, "counted"],
  ])("%j of %i received at %i: %s", (fields, instant, receivedAt, kind) => {
    expect(evaluate(compileMetric(metric(fields)), event(), instant, receivedAt).kind).toBe(kind);
  });

  test("so that two of them count every event once between them", () => {
    const catalog = compileCatalog([
      metric({ counts_until: 100 }),
      metric({ version: 2, counter_id: "met_1.2", counts_from: 100, group_by: ["a"] }),
    ]);
    for (const instant of [0, 99, 100, 101]) {
      const counted = (catalog.get("api_request") ?? []).filter(
        (compiled) => evaluate(compiled, event(), instant).kind === "counted",
      );
      expect(counted.map(({ metric: { version } }) => version)).toEqual([instant < 100 ? 1 : 2]);
    }
  });
});

test.each(["sum", "max", "min", "latest", "unique"] as const)(
  "a %s without its property is a bug, and says so",
  (aggregation) => {
    expect(() => compileMetric(metric({ aggregation }))).toThrow("needs a property");
  },
);
