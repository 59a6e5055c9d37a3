import { isDecimal } from "./decimal.ts";
import type { Json } from "./event.ts";
import { toExact } from "./exact.ts";
import { type Condition, compileFilter, type Filter, type FilterNode, type Scalar } from "./filter.ts";
import { type CompiledMetric, evaluate, type Metric, toLabel } from "./metric.ts";

/** An event to show how one looks that a metric counts. */
export interface ExampleEvent {
  readonly id: string;
  readonly event: string;
  readonly customer_id: string;
  readonly properties: { readonly [key: string]: Json };
}

/** Values that are tried before the search is given up: filters can ask for anything, and for what cannot be. */
const TRIES_MAX = 5_000;

/** What is left of the tries, and what was compiled on the way. */
interface Search {
  tries: number;
  readonly tests: Map<Condition, Filter>;
  readonly metric: Metric;
}

/**
 * An event that a metric counts, with the properties that the metric reads. `null` when none was found,
 * as where two filters contradict each other.
 */
export function exampleEvent(compiled: CompiledMetric): ExampleEvent | null {
  const { metric } = compiled;
  const search: Search = { tries: TRIES_MAX, tests: new Map(), metric };
  const event = metric.event_matchers[0]?.event ?? "";
  for (const conditions of choices(metric.filters === null ? [] : [metric.filters], [], search)) {
    const values = assign(conditions, search);
    for (const nests of [true, false]) {
      const properties = toProperties(values, nests);
      const example = { id: "example_1", event, customer_id: "customer_1", properties };
      if (evaluate(compiled, example, 0).kind === "counted") return example;
    }
  }
  return null;
}

/** Every way to make all of the `open` nodes true, as the conditions that must hold. */
function* choices(
  open: readonly FilterNode[],
  chosen: readonly Condition[],
  search: Search,
): Generator<readonly Condition[]> {
  if (search.tries-- <= 0) return;
  const [node, ...rest] = open;
  if (node === undefined) yield chosen;
  else if ("and" in node) yield* choices([...node.and, ...rest], chosen, search);
  else if ("or" in node) for (const child of node.or) yield* choices([child, ...rest], chosen, search);
  else {
    const next = [...chosen, node];
    if (findValue(node.property, next, search) !== undefined) yield* choices(rest, next, search);
  }
}

function assign(conditions: readonly Condition[], search: Search): ReadonlyMap<string, Json> {
  const { value_property, distinct_by, group_by } = search.metric;
  const own = [value_property, distinct_by, ...group_by].filter((path) => path !== null);
  const values = new Map<string, Json>();
  for (const path of [...own, ...conditions.map(({ property }) => property)]) {
    const found = findValue(path, conditions, search)?.value;
    if (found !== undefined) values.set(path, found);
  }
  return values;
}

/** A value for a property under all conditions on it; `undefined` when none was found. */
function findValue(
  path: string,
  conditions: readonly Condition[],
  search: Search,
): { readonly value: Json | undefined } | undefined {
  const own = conditions.filter(({ property }) => property === path);
  const tests = own.map((condition) => testOf(condition, search));
  for (const value of candidates(path, own, search.metric)) {
    if (search.tries-- <= 0) return undefined;
    const properties = value === undefined ? {} : { [path]: value };
    if (isUsable(value, path, search.metric) && tests.every((test) => test(properties))) return { value };
  }
  return undefined;
}

/** Whether JSON can hold a value, and the metric count it where it reads one there. */
function isUsable(value: Json | undefined, path: string, metric: Metric): boolean {
  if (typeof value === "number" && !Number.isFinite(value)) return false;
  if (metric.aggregation === "unique") return path !== metric.distinct_by || (value !== undefined && value !== "");
  return path !== metric.value_property || typeof toExact(value, metric.decimal_places) !== "string";
}

function testOf(condition: Condition, { tests }: Search): Filter {
  const test = tests.get(condition) ?? compileFilter({ and: [condition] });
  tests.set(condition, test);
  return test;
}

/** Numbers whose neighbourhood is looked at. */
const NUMBERS_MAX = 40;

/** What a property might be, likely values first. They are made as they are asked for: a filter can list thousands. */
function* candidates(path: string, conditions: readonly Condition[], metric: Metric): Generator<Json | undefined> {
  const isValue = path === metric.value_property;
  const name = `${path.split(".").at(-1) ?? path}_1`;
  const wanted = conditions.filter(({ op, value }) => value !== undefined && !op.startsWith("not_"));
  if (isValue) yield 10;
  else if (wanted.length === 0) yield name;
  yield* operandsOf(wanted);
  const numbers = [...operandsOf(conditions)].filter(isNumeric).slice(0, NUMBERS_MAX);
  for (const number of numbers) yield* neighbours(number);
  const bounds = [...new Set(numbers.map(Number))].toSorted((a, b) => a - b);
  for (const [i, bound] of bounds.entries()) yield* decimalsBetween(bound, bounds[i + 1] ?? bound + 1);
  yield* [1, 0, -1];
  if (isValue) return;
  yield* [name, joined(conditions)];
  for (const operand of operandsOf(wanted)) yield `${toLabel(operand)}_1`;
  yield* [true, false, undefined];
}

function* operandsOf(conditions: readonly Condition[]): Generator<Scalar> {
  for (const { value } of conditions) {
    if (typeof value === "object") yield* value;
    else if (value !== undefined) yield value;
  }
}

function isNumeric(operand: Scalar): operand is string | number {
  return typeof operand !== "boolean" && isDecimal(operand);
}

function neighbours(operand: string | number): readonly Json[] {
  const text = String(operand);
  if (/^-?\d{16,}$/.test(text)) return [String(BigInt(text) + 1n), String(BigInt(text) - 1n)];
  return [Number(operand) + 1, Number(operand) - 1];
}

/** Short decimals between two numbers. */
function decimalsBetween(low: number, high: number): readonly number[] {
  const middle = low + (high - low) / 2;
  return [0, 1, 2, 3, 6, 9].map((places) => Number(middle.toFixed(places)));
}

/** A text that starts with what it must and contains what it must. */
function joined(conditions: readonly Condition[]): string {
  const parts = (op: string) => conditions.filter((one) => one.op === op).map(({ value }) => String(value));
  const start = parts("starts_with").toSorted((a, b) => b.length - a.length)[0] ?? "";
  return start + parts("contains").join("");
}

interface Tree {
  [key: string]: Json | Tree;
}

/** Puts values under dotted paths: inside each other, or where that cannot be under the whole path. */
function toProperties(values: ReadonlyMap<string, Json>, nests: boolean): Tree {
  const root: Tree = {};
  const paths = [...values.keys()].toSorted((a, b) => a.length - b.length);
  for (const path of paths) {
    const value = values.get(path) ?? null;
    if (!nests || !putInside(root, path.split("."), value)) root[path] = value;
  }
  return root;
}

function putInside(root: Tree, keys: readonly string[], value: Json): boolean {
  let at = root;
  for (const key of keys.slice(0, -1)) {
    if (!Object.hasOwn(at, key)) at[key] = {};
    const inner = at[key];
    if (typeof inner !== "object" || inner === null || Array.isArray(inner)) return false;
    at = inner as Tree;
  }
  at[keys.at(-1) ?? ""] = value;
  return true;
}
