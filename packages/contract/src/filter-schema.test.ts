import { compileFilter } from "@tidemark/core/filter";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FilterTreeSchema } from "./filter-schema.ts";
import { FILTER_DEPTH_MAX, FILTER_NODES_MAX, FILTER_VALUE_LENGTH_MAX, FILTER_VALUES_MAX } from "./limits.ts";

/** What is wrong with a filter: where, and how it is told. */
function faults(tree: unknown): readonly (readonly [path: string, detail: string])[] {
  const result = FilterTreeSchema.safeParse(tree);
  return result.success ? [] : result.error.issues.map(({ path, message }) => [path.map(String).join("/"), message]);
}

function where(tree: unknown): readonly string[] {
  return faults(tree).map(([path]) => path);
}

const CONDITION = { property: "status", op: "equals", value: 200 };

function only(condition: object): object {
  return { and: [{ ...CONDITION, ...condition }] };
}

/** So many groups inside each other. */
function nested(groups: number): object {
  let node: object = CONDITION;
  for (let i = 0; i < groups; i++) node = i % 2 === 0 ? { and: [node] } : { or: [node] };
  return node;
}

/** A tree of so many nodes, its root included. */
function wide(nodes: number): object {
  return { or: Array.from({ length: nodes - 1 }, () => CONDITION) };
}

describe("a filter is taken", () => {
  test.each([
    ["status = 200 (feature 14)", { and: [{ property: "status", op: "equals", value: 200 }] }],
    ["region equals eu (feature 70)", { or: [{ property: "region", op: "equals", value: "eu" }] }],
    ["plan in pro, enterprise (feature 70)", { and: [{ property: "plan", op: "in", value: ["pro", "enterprise"] }] }],
    [
      "every other operator (feature 66)",
      {
        and: [
          { property: "a", op: "not_equals", value: true },
          { property: "a", op: "not_in", value: [1, "1", false] },
          { property: "a.b", op: "gt", value: 1.5 },
          { property: "a.b", op: "gte", value: "12345678901234567890.5" },
          { property: "a", op: "lt", value: -1 },
          { property: "a", op: "lte", value: "1e3" },
          {
            or: [
              { property: "a", op: "contains", value: "x" },
              { property: "a", op: "starts_with", value: " " },
            ],
          },
          { property: "a", op: "exists" },
          { property: "a", op: "not_exists" },
        ],
      },
    ],
    ["an equals with an empty text", only({ value: "" })],
  ])("%s", (_what, tree) => {
    expect(faults(tree)).toEqual([]);
    expect(FilterTreeSchema.parse(tree)).toBe(tree);
  });
});

describe("a filter is refused, and the place and the remedy are named", () => {
  test.each([
    ["nothing", undefined, "", /Must be a group/],
    ["null", null, "", /Must be a group/],
    ["a list", [CONDITION], "", /Must be a group/],
    ["a text", "status = 200", "", /Must be a group/],
    ["a condition by itself", CONDITION, "", /Must be a group: {"and": \[…\]}/],
    ["an empty object", {}, "", /Must be a group/],
    ["an empty group", { and: [] }, "and", /at least one/],
    ["a group of no list", { or: CONDITION }, "or", /at least one/],
    ["both at once", { and: [CONDITION], or: [CONDITION] }, "or", /no field of this name/],
    ["a group with more", { and: [CONDITION], not: true }, "not", /no field of this name/],
    ["a member that is none", { and: [CONDITION, 7] }, "and/1", /group or a condition/],
    ["an unknown field", only({ negate: true }), "and/0/negate", /no field of this name/],
    ["no property", only({ property: undefined }), "and/0/property", /name a property/],
    ["a path that is none", only({ property: "a..b" }), "and/0/property", /joined by dots/],
    ["a path of nine", only({ property: "a.b.c.d.e.f.g.h.i" }), "and/0/property", /joined by dots/],
    ["a prototype", only({ property: "__proto__.polluted" }), "and/0/property", /JavaScript/],
    ["a constructor", only({ property: "a.constructor" }), "and/0/property", /JavaScript/],
    ["an unknown operator", only({ op: "eq" }), "and/0/op", /^Must be one of equals, not_equals, in, .*not_exists\.$/],
    ["an operator that objects have", only({ op: "toString" }), "and/0/op", /^Must be one of/],
    ["regex", only({ op: "regex" }), "and/0/op", /There are no regular expressions/],
    ["matches", only({ op: "matches" }), "and/0/op", /There are no regular expressions/],
    ["like", only({ op: "like" }), "and/0/op", /There are no regular expressions/],
    ["no operator", only({ op: 7 }), "and/0/op", /^Must be one of/],
    ["no value", only({ value: undefined }), "and/0/value", /takes a text, a number, true or false/],
    ["null", only({ value: null }), "and/0/value", /takes a text, a number/],
    ["an object", only({ value: {} }), "and/0/value", /takes a text, a number/],
    ["a list for one", only({ value: [200] }), "and/0/value", /takes a text, a number/],
    ["one for a list", only({ op: "in" }), "and/0/value", /takes a list/],
    ["an empty list", only({ op: "not_in", value: [] }), "and/0/value", /takes a list/],
    ["a list in a list", only({ op: "in", value: [1, [2]] }), "and/0/value/1", /takes a text, a number/],
    ["a bound that is a text", only({ op: "gt", value: "many" }), "and/0/value", /takes a number/],
    ["a bound that is a boolean", only({ op: "lte", value: true }), "and/0/value", /takes a number/],
    ["an empty part", only({ op: "contains", value: "" }), "and/0/value", /not empty/],
    ["a part that is a number", only({ op: "starts_with", value: 2 }), "and/0/value", /not empty/],
    ["a value for exists", only({ op: "exists", value: true }), "and/0/value", /takes no value/],
    ["infinity", only({ value: Infinity }), "and/0/value", /write it as a text/],
    ["a number that was rounded", only({ value: 2 ** 53 }), "and/0/value", /write it as a text/],
    ["half a surrogate", only({ value: "\ud800" }), "and/0/value", /surrogate/],
  ])("%s", (_what, tree, path, detail) => {
    expect(faults(tree)).toEqual([[path, expect.stringMatching(detail) as string]]);
  });

  test("each of several", () => {
    expect(where({ and: [{ or: [{ op: "x" }] }, only({ property: "" }), CONDITION, null] })).toEqual([
      "and/0/or/0/property",
      "and/0/or/0/op",
      "and/1/and/0/property",
      "and/3",
    ]);
  });
});

describe("a limit is exact", () => {
  test("of depth", () => {
    expect(faults(nested(FILTER_DEPTH_MAX))).toEqual([]);
    expect(faults(nested(FILTER_DEPTH_MAX + 1))).toEqual([
      ["or/0/and/0/or/0/and/0/or/0", expect.stringContaining("more than 5 groups deep") as string],
    ]);
  });

  test("of nodes", () => {
    expect(faults(wide(FILTER_NODES_MAX))).toEqual([]);
    expect(faults(wide(FILTER_NODES_MAX + 1))).toEqual([["", expect.stringContaining("more than 100") as string]]);
    const half = wide(FILTER_NODES_MAX / 2);
    expect(where({ and: [half, half] })).toEqual([""]);
  });

  test("of values", () => {
    const list = (length: number) => only({ op: "in", value: Array.from({ length }, (_, i) => i) });
    expect(faults(list(FILTER_VALUES_MAX))).toEqual([]);
    expect(faults(list(FILTER_VALUES_MAX + 1))).toEqual([["and/0/value", "Must have at most 200 values."]]);
  });

  test("of a value's length", () => {
    for (const op of ["equals", "contains", "starts_with"]) {
      expect(faults(only({ op, value: "x".repeat(FILTER_VALUE_LENGTH_MAX) }))).toEqual([]);
      expect(where(only({ op, value: "x".repeat(FILTER_VALUE_LENGTH_MAX + 1) }))).toEqual(["and/0/value"]);
    }
    expect(where(only({ op: "in", value: ["a", "x".repeat(FILTER_VALUE_LENGTH_MAX + 1)] }))).toEqual(["and/0/value/1"]);
    expect(where(only({ op: "gt", value: "1".repeat(FILTER_VALUE_LENGTH_MAX + 1) }))).toEqual(["and/0/value"]);
  });
});

describe("a filter that means harm is refused in no time", () => {
  test.each([
    ["a tree 5,000 deep", nested(5_000)],
    ["a tree 200,000 deep", nested(200_000)],
    ["a tree of 10,000 nodes", wide(10_000)],
    ["groups of groups of groups", { and: Array.from({ length: 99 }, () => wide(1_000)) }],
    ["a list of a million", only({ op: "in", value: Array.from({ length: 1_000_000 }, () => "x") })],
    ["a text of a million", only({ value: "9".repeat(1_000_000) })],
    ["a number that goes on", only({ op: "gt", value: `0.${"0".repeat(1_000_000)}` })],
    ["a path of a million", only({ property: "a.".repeat(500_000) })],
    ["a thousand unknown fields", only(Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`k${i}`, i])))],
    ["a prototype of its own", JSON.parse('{"and":[{"property":"a","op":"exists","__proto__":{"x":1}}]}') as object],
    ["a prototype for a tree", JSON.parse('{"__proto__":{"and":[{"property":"a","op":"exists"}]}}') as object],
  ])("%s", (_what, tree) => {
    const found = faults(tree);
    expect(found.length).toBeGreaterThan(0);
    expect(found.length).toBeLessThanOrEqual(20);
    expect(JSON.stringify(found).length).toBeLessThan(20_000);
  });
});

test("whatever is taken can be compiled and run", () => {
  const scalar = fc.oneof(fc.constantFrom("a", "1", ""), fc.integer(), fc.boolean());
  const condition = fc.record(
    {
      property: fc.constantFrom("a", "a.b"),
      op: fc.constantFrom("equals", "not_in", "in", "gt", "lte", "contains", "starts_with", "exists", "like"),
      value: fc.oneof(scalar, fc.array(scalar, { maxLength: 2 })),
    },
    { requiredKeys: ["property", "op"] },
  );
  const { tree: trees } = fc.letrec((tie) => ({
    tree: fc.oneof({ weight: 5, arbitrary: fc.record({ and: tie("nodes") }) }, fc.record({ or: tie("nodes") }), scalar),
    nodes: fc.array(fc.oneof({ maxDepth: 3 }, condition, tie("tree")), { minLength: 1, maxLength: 3 }),
  }));
  let taken = 0;
  fc.assert(
    fc.property(trees, (tree) => {
      const result = FilterTreeSchema.safeParse(tree);
      if (!result.success) return;
      taken++;
      const passes = compileFilter(result.data);
      for (const properties of [undefined, {}, { a: 1 }, { a: { b: "1" } }, { a: [1, "a"] }])
        expect(typeof passes(properties)).toBe("boolean");
    }),
    { numRuns: 3_000 },
  );
  expect(taken).toBeGreaterThan(30);
});
