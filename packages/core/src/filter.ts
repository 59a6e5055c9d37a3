import { compareDecimals, isDecimal } from "./decimal.ts";
import type { Json } from "./event.ts";
import { type Properties, type PropertyReader, readerOf } from "./property.ts";

/** A condition's operand. A number that a double cannot hold is written as its text. */
export type Scalar = string | number | boolean;

/** How a property is compared. There are no regular expressions: matching stays linear in the text. */
export type Operator =
  | "equals"
  | "not_equals"
  | "in"
  | "not_in"
  | "gt"
  | "gte"
  | "lt"
  | "lte"
  | "contains"
  | "starts_with"
  | "exists"
  | "not_exists";

/** One comparison of one property. `in` and `not_in` take a list, `exists` and `not_exists` nothing. */
export interface Condition {
  /** A dotted path into `properties`. */
  readonly property: string;
  readonly op: Operator;
  readonly value?: Scalar | readonly Scalar[] | undefined;
}

/** Conditions joined by AND or OR, to any depth that the contract allows. */
export type FilterTree = { readonly and: readonly FilterNode[] } | { readonly or: readonly FilterNode[] };
export type FilterNode = FilterTree | Condition;

/** Whether an event's properties pass. */
export type Filter = (properties: Properties) => boolean;

/**
 * Makes a filter ready to run. A property that is missing, or null, matches nothing but `not_exists`.
 * Where one side is a number the other is read as a decimal if it is one, exactly: `200`, `"200"` and
 * `"2e2"` are equal; two texts are compared as texts.
 *
 * @example compileFilter({ and: [{ property: "status", op: "equals", value: 200 }] })({ status: "200" }) // true
 */
export function compileFilter(tree: FilterTree): Filter {
  return compileNode(tree);
}

function compileNode(node: FilterNode): Filter {
  if ("and" in node) return every(node.and.map(compileNode));
  if ("or" in node) return some(node.or.map(compileNode));
  return compileCondition(node);
}

function every(parts: readonly Filter[]): Filter {
  const [first, second] = parts;
  if (parts.length === 1 && first !== undefined) return first;
  if (parts.length === 2 && first !== undefined && second !== undefined) return (p) => first(p) && second(p);
  return (properties) => parts.every((part) => part(properties));
}

function some(parts: readonly Filter[]): Filter {
  const [first] = parts;
  if (parts.length === 1 && first !== undefined) return first;
  return (properties) => parts.some((part) => part(properties));
}

function compileCondition({ property, op, value }: Condition): Filter {
  const read = readerOf(property);
  switch (op) {
    case "exists":
      return (properties) => isPresent(read(properties));
    case "not_exists":
      return (properties) => !isPresent(read(properties));
    case "equals":
      return present(read, equalTo(scalar(value)));
    case "not_equals":
      return present(read, not(equalTo(scalar(value))));
    case "in":
      return present(read, oneOf(list(value)));
    case "not_in":
      return present(read, not(oneOf(list(value))));
    case "gt":
      return present(
        read,
        ordered(scalar(value), (difference) => difference > 0),
      );
    case "gte":
      return present(
        read,
        ordered(scalar(value), (difference) => difference >= 0),
      );
    case "lt":
      return present(
        read,
        ordered(scalar(value), (difference) => difference < 0),
      );
    case "lte":
      return present(
        read,
        ordered(scalar(value), (difference) => difference <= 0),
      );
    case "contains":
      return present(read, containing(scalar(value)));
    case "starts_with": {
      const start = String(scalar(value));
      return present(read, (found) => typeof found === "string" && found.startsWith(start));
    }
  }
}

/** A test of a property that is there. */
type Test = (found: Json) => boolean;

function isPresent(found: Json | undefined): found is Json {
  return found !== undefined && found !== null;
}

function present(read: PropertyReader, test: Test): Filter {
  return (properties) => {
    const found = read(properties);
    return isPresent(found) && test(found);
  };
}

function not(test: Test): Test {
  return (found) => !test(found);
}

function scalar(value: Condition["value"]): Scalar {
  if (value === undefined || typeof value === "object") throw new Error("the condition takes one value");
  return value;
}

function list(value: Condition["value"]): readonly Scalar[] {
  if (typeof value !== "object") throw new Error("the condition takes a list of values");
  return value;
}

function equalTo(wanted: Scalar): Test {
  if (typeof wanted === "boolean") return (found) => found === wanted;
  if (typeof wanted === "number")
    return (found) =>
      typeof found === "number" ? found === wanted : typeof found === "string" && order(found, wanted) === 0;
  if (!isDecimal(wanted)) return (found) => found === wanted;
  return (found) => found === wanted || (typeof found === "number" && order(found, wanted) === 0);
}

function oneOf(wanted: readonly Scalar[]): Test {
  // Texts that are no numbers are equal to themselves alone, and looked up together.
  const texts = new Set<Json>(wanted.filter((value) => typeof value === "string" && !isDecimal(value)));
  const others = wanted.filter((value) => !texts.has(value)).map(equalTo);
  return (found) => texts.has(found) || others.some((test) => test(found));
}

/** Compares numbers; what is not a decimal is neither above nor below. */
function ordered(bound: Scalar, accepts: (difference: number) => boolean): Test {
  if (typeof bound === "boolean" || !isDecimal(bound)) return () => false;
  const double = toDouble(bound);
  return (found) => {
    if (typeof found === "number" && double !== undefined) return accepts(found - double);
    return (typeof found === "number" || typeof found === "string") && accepts(order(found, bound));
  };
}

/** `NaN` when either is not a decimal. */
function order(a: string | number, b: string | number): number {
  const [x, y] = [toDouble(a), toDouble(b)];
  if (x !== undefined && y !== undefined) return x - y;
  return isDecimal(a) && isDecimal(b) ? compareDecimals(String(a), String(b)) : NaN;
}

/** Up to this many digits a decimal is the only one of its double, and doubles have the order of their decimals. */
const SURE_DECIMAL = /^[+-]?\d{0,8}\d(?:\.\d{1,6})?$/;

/** A number as a double, where that tells it exactly. */
function toDouble(value: string | number): number | undefined {
  if (typeof value === "number") return value;
  return SURE_DECIMAL.test(value) ? Number(value) : undefined;
}

function containing(wanted: Scalar): Test {
  const part = String(wanted);
  const isElement = equalTo(wanted);
  return (found) => (typeof found === "string" ? found.includes(part) : Array.isArray(found) && found.some(isElement));
}
