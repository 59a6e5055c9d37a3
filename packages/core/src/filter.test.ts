import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Json } from "./event.ts";
import { type Condition, compileFilter, type FilterNode, type FilterTree, type Operator } from "./filter.ts";

type Properties = Readonly<Record<string, Json>>;

function passes(tree: FilterTree, properties: Properties | undefined): boolean {
  return compileFilter(tree)(properties);
}

/** Whether a property of this value passes. */
function holds(op: Operator, value: Condition["value"], found: Json | undefined): boolean {
  return passes({ and: [{ property: "p", op, value }] }, found === undefined ? {} : { p: found });
}

/** What a property can be, one of each sort. */
const MISSING = undefined;

describe("the operators (feature 66), each with what passes and what does not", () => {
  const table: [Operator, Condition["value"], (Json | undefined)[], (Json | undefined)[]][] = [
    ["equals", 200, [200, "200", "2e2", "200.0", "+200"], [201, "200 ", "", true, [200], { a: 200 }, null, MISSING]],
    ["equals", "200", ["200", 200], ["200.0", 201, true, null, MISSING]],
    ["equals", "eu", ["eu"], ["EU", "eu ", "", ["eu"], null, MISSING]],
    ["equals", "", [""], [0, false, null, MISSING]],
    ["equals", true, [true], ["true", 1, false, null, MISSING]],
    ["equals", 0.1, [0.1, "0.1", "1e-1"], [0.11, "0.10000000000000001", MISSING]],
    ["not_equals", 200, [201, "201", "x", true, [200]], [200, "200", "2e2", null, MISSING]],
    ["not_equals", "eu", ["us", "", 7, false], ["eu", null, MISSING]],
    ["in", ["pro", "enterprise"], ["pro", "enterprise"], ["free", "", "Pro", ["pro"], null, MISSING]],
    ["in", [200, "201", true], [200, "200", 201, "201", true], [202, "true", false, null, MISSING]],
    ["not_in", ["pro", 5], ["free", 6, true, ["pro"]], ["pro", 5, "5", "5.0", null, MISSING]],
    ["gt", 5, [5.1, "5.1", "1e1", "12345678901234567890"], [5, "5.0", -6, "x", "", true, [6], null, MISSING]],
    ["gte", 5, [5, "5.0", 6], [4.9, "4.999999999999999999", "five", null, MISSING]],
    ["lt", 5, [4.9, "-1e9", "4.999999999999999999"], [5, "5", 6, "", false, null, MISSING]],
    ["lte", "5.5", [5.5, "5.50", 5], [5.51, "5.5000000000000000001", "x", null, MISSING]],
    ["gt", "9007199254740993", ["9007199254740994"], ["9007199254740993", 9007199254740992, null]],
    ["contains", "err", ["an error", "err", ["err", "x"]], ["ERR", "", ["error"], 7, { err: 1 }, null, MISSING]],
    ["contains", "5", ["15", [5], ["5"]], [15, 5, [15], null, MISSING]],
    ["starts_with", "/v1/", ["/v1/", "/v1/search"], ["/v2/", " /v1/", ["/v1/"], 1, null, MISSING]],
    ["exists", undefined, ["", 0, false, [], {}], [null, MISSING]],
    ["not_exists", undefined, [null, MISSING], ["", 0, false, [], {}]],
  ];
  test.each(table)("%s %j", (op, value, accepted, refused) => {
    for (const found of accepted) expect(holds(op, value, found), JSON.stringify(found)).toBe(true);
    for (const found of refused) expect(holds(op, value, found), JSON.stringify(found)).toBe(false);
  });
});

describe("and, or (features 13, 66)", () => {
  const ok: Condition = { property: "status", op: "equals", value: 200 };
  const eu: Condition = { property: "region", op: "equals", value: "eu" };
  const paid: Condition = { property: "plan", op: "in", value: ["pro", "enterprise"] };
  test.each<[FilterTree, Properties, boolean]>([
    [{ and: [ok] }, { status: 200 }, true],
    [{ and: [ok, eu] }, { status: 200, region: "eu" }, true],
    [{ and: [ok, eu] }, { status: 200, region: "us" }, false],
    [{ and: [ok, eu] }, { region: "eu" }, false],
    [{ or: [ok, eu] }, { status: 500, region: "eu" }, true],
    [{ or: [ok, eu] }, { status: 500, region: "us" }, false],
    [{ and: [ok, { or: [eu, paid] }] }, { status: 200, plan: "pro" }, true],
    [{ and: [ok, { or: [eu, paid] }] }, { status: 200, plan: "free" }, false],
    [{ or: [{ and: [ok, eu] }, { and: [ok, paid, eu] }, paid] }, { plan: "enterprise" }, true],
    [{ and: [ok, eu, paid] }, { status: "200", region: "eu", plan: "pro" }, true],
    [{ and: [ok, eu, paid] }, { status: "200", region: "eu", plan: "" }, false],
  ])("%j of %j is %s", (tree, properties, expected) => {
    expect(passes(tree, properties)).toBe(expected);
  });
});

describe("a property is found", () => {
  const eu: FilterTree = { and: [{ property: "geo.region", op: "equals", value: "eu" }] };
  test.each<[string, Properties | undefined, boolean]>([
    ["inside others", { geo: { region: "eu" } }, true],
    ["under its whole path, first", { "geo.region": "eu", geo: { region: "us" } }, true],
    ["not in an array", { geo: [{ region: "eu" }] }, false],
    ["not in a text", { geo: "region" }, false],
    ["not in nothing", { geo: null }, false],
    ["not where there are no properties", undefined, false],
  ])("%s", (_where, properties, expected) => {
    expect(passes(eu, properties)).toBe(expected);
  });

  test.each(["__proto__", "constructor", "toString", "hasOwnProperty", "a.constructor", "a.__proto__", "length"])(
    "never on a prototype: %s",
    (property) => {
      expect(passes({ and: [{ property, op: "exists" }] }, { a: {}, b: [1] })).toBe(false);
      expect(passes({ and: [{ property, op: "not_exists" }] }, { a: {}, b: [1] })).toBe(true);
    },
  );
});

/** The same semantics said again, as plainly as can be, for whole numbers, texts and booleans. */
function obvious(node: FilterNode, properties: Properties): boolean {
  if ("and" in node) return node.and.every((child) => obvious(child, properties));
  if ("or" in node) return node.or.some((child) => obvious(child, properties));
  const { op, value } = node;
  const found = properties[node.property];
  const isThere = found !== undefined && found !== null;
  if (op === "not_exists") return !isThere;
  if (!isThere) return false;
  const wanted = Array.isArray(value) ? (value as Json[]) : [value as Json];
  const toNumber = (one: Json): number =>
    typeof one === "number" ? one : typeof one === "string" && /^-?\d+$/.test(one) ? Number(one) : NaN;
  const same = (a: Json, b: Json): boolean =>
    a === b || ((typeof a === "number" || typeof b === "number") && toNumber(a) === toNumber(b));
  const isAny = wanted.some((one) => same(found, one));
  const difference = toNumber(found) - toNumber(wanted[0] as Json);
  switch (op) {
    case "exists":
      return true;
    case "equals":
    case "in":
      return isAny;
    case "not_equals":
    case "not_in":
      return !isAny;
    case "gt":
      return difference > 0;
    case "gte":
      return difference >= 0;
    case "lt":
      return difference < 0;
    case "lte":
      return difference <= 0;
    case "contains":
      if (Array.isArray(found)) return (found as Json[]).some((one) => same(one, wanted[0] as Json));
      return typeof found === "string" && found.includes(String(wanted[0]));
    case "starts_with":
      return typeof found === "string" && found.startsWith(String(wanted[0]));
  }
}

test("a compiled filter says what the obvious reading of its tree says", () => {
  const scalar = fc.oneof(
    fc.integer({ min: -3, max: 3 }),
    fc.constantFrom("", "a", "ab", "1", "-2", "3"),
    fc.boolean(),
  );
  const number = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constantFrom("1", "-2"));
  const property = fc.constantFrom("p", "q", "r");
  const condition = fc.oneof(
    fc.record({ property, op: fc.constantFrom<Operator>("equals", "not_equals"), value: scalar }),
    fc.record({
      property,
      op: fc.constantFrom<Operator>("in", "not_in"),
      value: fc.array(scalar, { minLength: 1, maxLength: 4 }),
    }),
    fc.record({ property, op: fc.constantFrom<Operator>("gt", "gte", "lt", "lte"), value: number }),
    fc.record({
      property,
      op: fc.constantFrom<Operator>("contains", "starts_with"),
      value: fc.constantFrom("a", "b", "1"),
    }),
    fc.record({ property, op: fc.constantFrom<Operator>("exists", "not_exists") }),
  );
  const { tree } = fc.letrec<{ tree: FilterTree; nodes: FilterNode[] }>((tie) => ({
    tree: fc.oneof(fc.record({ and: tie("nodes") }), fc.record({ or: tie("nodes") })),
    nodes: fc.array(fc.oneof({ maxDepth: 4 }, condition, tie("tree")), { minLength: 1, maxLength: 4 }),
  }));
  const found = fc.oneof(scalar, fc.constant(null), fc.array(scalar, { maxLength: 3 }));
  const properties = fc.record({ p: found, q: found, r: found }, { requiredKeys: [] });
  const seen = new Set<boolean>();
  fc.assert(
    fc.property(tree, properties, (filter, given) => {
      const expected = obvious(filter, given);
      seen.add(expected);
      expect(passes(filter, given)).toBe(expected);
    }),
    { numRuns: 5_000 },
  );
  expect(seen.size).toBe(2);
});
