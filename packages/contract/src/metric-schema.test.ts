import { SEGMENT_COLORS } from "@tidemark/core/segment-colors";
import { describe, expect, test } from "vitest";
import {
  DISTINCT_SEGMENTS_MAX,
  EXPOSED_KEYS_MAX,
  FILTER_NODES_MAX,
  GROUP_BY_MAX,
  MATCHERS_MAX,
  NAME_LENGTH_MAX,
  SEGMENTS_MAX,
} from "./limits.ts";
import { MetricChangeSchema, MetricDraftSchema, MetricInputSchema, SLUG_LENGTH_MAX } from "./metric-schema.ts";

const COUNT = { name: "API Requests", aggregation: "count", event_matchers: [{ event: "api_request" }] };
const SUM = { ...COUNT, aggregation: "sum", value_property: "n" };
const UNIQUE = { ...COUNT, aggregation: "unique", distinct_by: "user_id" };
const FILTERS = { and: [{ property: "region", op: "equals", value: "eu" }] };

/** What is wrong with a metric: where, and how it is told. */
function faults(metric: unknown): Readonly<Record<string, string>> {
  const result = MetricInputSchema.safeParse(metric);
  return Object.fromEntries(
    (result.error?.issues ?? []).map(({ path, message }) => [path.map(String).join("/"), message]),
  );
}

describe("a metric of each aggregation names what it needs, and nothing else", () => {
  test.each(["count", "sum", "max", "min", "unique", "latest"])("%s", (aggregation) => {
    const needs = { value: !["count", "unique"].includes(aggregation), distinct: aggregation === "unique" };
    const metric = { ...COUNT, aggregation };
    for (const value_property of [null, "n"]) {
      for (const distinct_by of [null, "user_id"]) {
        const found = Object.keys(faults({ ...metric, value_property, distinct_by }));
        expect(found.includes("value_property")).toBe(needs.value !== (value_property !== null));
        expect(found.includes("distinct_by")).toBe(needs.distinct !== (distinct_by !== null));
      }
    }
  });
});

describe("a type takes the aggregations that mean something (features 42, 45-48, 51)", () => {
  const all = ["count", "latest", "max", "min", "sum", "unique"];
  test.each([
    ["limit_metered", ["count", "max", "sum", "unique"]],
    ["limit_recurring", ["count", "sum", "unique"]],
    ["charge_metered", all],
    ["charge_recurring", all],
  ])("%s takes %j", (type, allowed) => {
    const takes = all.filter((aggregation) => {
      const property =
        aggregation === "unique" ? { distinct_by: "d" } : aggregation === "count" ? {} : { value_property: "v" };
      const found = faults({ ...COUNT, type, aggregation, ...property });
      if (Object.keys(found).length > 0) expect(found["aggregation"]).toMatch(/^[A-Z].*: use .*\.$/);
      return Object.keys(found).length === 0;
    });
    expect(takes).toEqual(allowed);
  });
});

describe("fields that do not go together are refused", () => {
  test.each([
    [{ ...UNIQUE, decimal_places: 1 }, "decimal_places"],
    [{ ...COUNT, display: { format: "currency" } }, "display/currency"],
    [{ ...COUNT, display: { format: "currency", currency: "eur" } }, "display/currency"],
    [{ ...COUNT, group_by: ["a", "a"] }, "group_by"],
    [{ ...COUNT, exposed_event_keys: ["a", "b", "a"] }, "exposed_event_keys"],
    [
      {
        ...COUNT,
        segments: [
          { name: "EU", filters: FILTERS },
          { name: " EU", filters: FILTERS },
        ],
      },
      "segments/1/name",
    ],
    [
      {
        ...COUNT,
        segments: [
          { name: "A", color: "red", filters: FILTERS },
          { name: "B", color: "red", filters: FILTERS },
        ],
      },
      "segments/1/color",
    ],
  ])("%j", (metric, path) => {
    expect(Object.keys(faults(metric))).toEqual([path]);
  });

  test.each([{ ...SUM, decimal_places: 9 }, { ...COUNT, display: { format: "currency", currency: "EUR" } }, UNIQUE])(
    "and those that do are not: %j",
    (metric) => {
      expect(faults(metric)).toEqual({});
    },
  );
});

describe("a definition that means harm is refused, and it is told where", () => {
  const deep = (groups: number): object => {
    let node: object = { property: "a", op: "exists" };
    for (let i = 0; i < groups; i++) node = { and: [node] };
    return node;
  };
  const wide = { and: Array.from({ length: 10_000 }, () => ({ property: "a", op: "exists" })) };
  test.each<readonly [string, object, RegExp]>([
    ["a filter 5,000 deep", { filters: deep(5_000) }, /^filters\/and\/0/],
    ["a filter of 10,000 nodes", { filters: wide }, /^filters$/],
    ["a segment 5,000 deep", { segments: [{ name: "A", filters: deep(5_000) }] }, /^segments\/0\/filters\/and/],
    ["a segment of 10,000 nodes", { segments: [{ name: "A", filters: wide }] }, /^segments\/0\/filters$/],
    ["a segment without a filter", { segments: [{ name: "A" }] }, /^segments\/0\/filters$/],
    ["a label of a prototype", { group_by: ["__proto__.x"] }, /^group_by\/0$/],
    ["a value of a prototype", { aggregation: "sum", value_property: "__proto__" }, /^value_property$/],
    ["an id of a constructor", { aggregation: "unique", distinct_by: "constructor.name" }, /^distinct_by$/],
    ["an exposed prototype", { exposed_event_keys: ["a.prototype"] }, /^exposed_event_keys\/0$/],
    ...["=cmd()", "+1", "-1", "@SUM(A1)", "  =1+1"].map((name) => [`the name ${name}`, { name }, /^name$/] as const),
    ["a segment that is a formula", { segments: [{ name: "=1+1", filters: FILTERS }] }, /^segments\/0\/name$/],
    ["a name with a line break", { name: "a\nb" }, /^name$/],
    ["a name that reads backwards", { name: "a\u202eb" }, /^name$/],
    ["a segment with a null", { segments: [{ name: "a\0b", filters: FILTERS }] }, /^segments\/0\/name$/],
    ["an event that is not printable", { event_matchers: [{ event: "a\u0007" }] }, /^event_matchers\/0\/event$/],
    ["an unknown colour", { segments: [{ name: "A", color: "url(x)", filters: FILTERS }] }, /^segments\/0\/color$/],
    ["an unknown aggregation", { aggregation: "__proto__" }, /^aggregation$/],
  ])("%s", (_what, fields, path) => {
    const found = Object.keys(faults({ ...COUNT, ...fields }));
    expect(found).toEqual([expect.stringMatching(path) as string]);
  });

  test("while what only looks strange is data", () => {
    const names = ["<b>Tokens</b>", 'O\'Brien "quoted"', "1 = 1", "a;b", "{{x}}", "日本語 🙂"];
    for (const name of names) expect(MetricInputSchema.parse({ ...COUNT, name }).name).toBe(name);
  });
});

describe("a limit is exact: so many are taken, and one more is not", () => {
  const keys = (count: number) => Array.from({ length: count }, (_, i) => `k${i}`);
  const segments = (count: number) => keys(count).map((name) => ({ name, filters: FILTERS }));
  const filters = (nodes: number) => ({ or: keys(nodes - 1).map((property) => ({ property, op: "exists" })) });
  test.each([
    ["characters of a name", "name", NAME_LENGTH_MAX, (n: number) => ({ name: "x".repeat(n) })],
    ["characters of a slug", "slug", SLUG_LENGTH_MAX, (n: number) => ({ slug: "x".repeat(n) })],
    ["characters of a description", "description", 1_000, (n: number) => ({ description: "x".repeat(n) })],
    ["characters of a unit", "unit", 32, (n: number) => ({ unit: "x".repeat(n) })],
    [
      "event names",
      "event_matchers",
      MATCHERS_MAX,
      (n: number) => ({ event_matchers: keys(n).map((event) => ({ event })) }),
    ],
    [
      "characters of an event name",
      "event_matchers/0/event",
      NAME_LENGTH_MAX,
      (n: number) => ({ event_matchers: [{ event: "x".repeat(n) }] }),
    ],
    ["labels", "group_by", GROUP_BY_MAX, (n: number) => ({ group_by: keys(n) })],
    ["exposed keys", "exposed_event_keys", EXPOSED_KEYS_MAX, (n: number) => ({ exposed_event_keys: keys(n) })],
    ["segments", "segments", SEGMENTS_MAX, (n: number) => ({ segments: segments(n) })],
    [
      "characters of a segment's name",
      "segments/0/name",
      NAME_LENGTH_MAX,
      (n: number) => ({ segments: [{ name: "x".repeat(n), filters: FILTERS }] }),
    ],
    ["nodes of a filter", "filters", FILTER_NODES_MAX, (n: number) => ({ filters: filters(n) })],
    ["characters of a path's part", "group_by/0", 64, (n: number) => ({ group_by: ["x".repeat(n)] })],
    ["parts of a path", "group_by/0", 8, (n: number) => ({ group_by: [keys(n).join(".")] })],
    ["decimal places", "decimal_places", 9, (n: number) => ({ decimal_places: n })],
    [
      "units of an interval",
      "default_interval/count",
      100,
      (n: number) => ({ default_interval: { count: n, period: "days" } }),
    ],
  ])("%s", (_what, path, max, make) => {
    expect(faults({ ...COUNT, ...make(max) })).toEqual({});
    expect(Object.keys(faults({ ...COUNT, ...make(max + 1) }))).toEqual([path]);
  });

  test("segments of a distinct count", () => {
    expect(faults({ ...UNIQUE, segments: segments(DISTINCT_SEGMENTS_MAX) })).toEqual({});
    expect(Object.keys(faults({ ...UNIQUE, segments: segments(DISTINCT_SEGMENTS_MAX + 1) }))).toEqual(["segments"]);
  });

  test("there is a colour for each segment", () => {
    expect(new Set(SEGMENT_COLORS).size).toBeGreaterThanOrEqual(SEGMENTS_MAX);
  });
});

test("a draft needs no name, and all else is checked as ever", () => {
  const { name: _name, ...draft } = COUNT;
  expect(MetricDraftSchema.safeParse(draft).success).toBe(true);
  expect(MetricDraftSchema.safeParse({ ...draft, aggregation: "sum" }).success).toBe(false);
});

test("a change holds what was sent and no defaults", () => {
  expect(MetricChangeSchema.parse({ name: "N", display: { style: "sparkline" } })).toEqual({
    name: "N",
    display: { style: "sparkline" },
  });
});
