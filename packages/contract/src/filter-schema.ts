import { isDecimal } from "@tidemark/core/decimal";
import type { FilterTree, Operator } from "@tidemark/core/filter";
import * as z from "zod";
import { FILTER_DEPTH_MAX, FILTER_NODES_MAX, FILTER_VALUE_LENGTH_MAX, FILTER_VALUES_MAX } from "./limits.ts";
import { propertyPathFault } from "./property-path-schema.ts";

/** What an operator compares with. */
type Operand = "scalar" | "list" | "decimal" | "text" | "none";

const OPERATORS: Readonly<Record<Operator, Operand>> = {
  equals: "scalar",
  not_equals: "scalar",
  in: "list",
  not_in: "list",
  gt: "decimal",
  gte: "decimal",
  lt: "decimal",
  lte: "decimal",
  contains: "text",
  starts_with: "text",
  exists: "none",
  not_exists: "none",
};
const OPERATOR_NAMES = Object.keys(OPERATORS).join(", ");
const PATTERN_OPERATORS = /^(?:not_?)?(?:i?like|glob|i?match(?:es)?|reg_?exp?|=?~\*?)$/i;

/** Faults that are told of one filter: who sends hundreds has read the first few. */
const FAULTS_MAX = 20;

/** What is wrong with a filter, and where in it. */
interface FilterFault {
  readonly path: readonly (string | number)[];
  readonly detail: string;
}

/**
 * A filter tree, at most `FILTER_DEPTH_MAX` groups deep and `FILTER_NODES_MAX` nodes large. It is walked
 * without recursion, and no further than its limits, so that no tree can exhaust stack or time.
 */
export const FilterTreeSchema = z
  .custom<FilterTree>()
  .superRefine((tree, context) => {
    for (const { path, detail } of findFaults(tree))
      context.addIssue({ code: "custom", path: [...path], message: detail });
  })
  .meta({
    id: "FilterTree",
    type: "object",
    description:
      `\`{"and": […]}\` or \`{"or": […]}\` of such groups and of conditions \`{"property", "op", "value"}\`: ` +
      `at most ${FILTER_DEPTH_MAX} groups deep and ${FILTER_NODES_MAX} nodes in all. Operators: ${OPERATOR_NAMES}. ` +
      `\`in\` and \`not_in\` take a list, \`exists\` and \`not_exists\` no value. ` +
      "A number is compared as a decimal, also with a text that holds one; a property that is missing matches nothing but `not_exists`.",
    example: { and: [{ property: "status", op: "equals", value: 200 }] },
  });

interface Place {
  readonly node: unknown;
  readonly path: FilterFault["path"];
  /** Groups around it. */
  readonly depth: number;
}

function findFaults(tree: unknown): readonly FilterFault[] {
  const faults: FilterFault[] = [];
  const open: Place[] = [{ node: tree, path: [], depth: 0 }];
  let nodes = 1;
  for (let place = open.pop(); place !== undefined && faults.length < FAULTS_MAX; place = open.pop()) {
    const { node, path, depth } = place;
    const children = isRecord(node) ? groupOf(node) : undefined;
    if (!isRecord(node) || (children === undefined && depth === 0)) {
      const one = depth === 0 ? "a group" : "a group or a condition";
      faults.push({ path, detail: `Must be ${one}: {"and": […]}, {"or": […]}${depth === 0 ? "" : CONDITION}.` });
    } else if (children === undefined) {
      for (const fault of conditionFaults(node)) faults.push({ path: [...path, ...fault.path], detail: fault.detail });
    } else if (depth === FILTER_DEPTH_MAX) {
      faults.push({ path, detail: `Is more than ${FILTER_DEPTH_MAX} groups deep; make it flatter.` });
    } else {
      const { name, members } = children;
      const at = [...path, name];
      for (const key of Object.keys(node).filter((other) => other !== name)) faults.push(unknownField(path, key));
      if (!Array.isArray(members) || members.length === 0) {
        faults.push({ path: at, detail: "Must be a list of at least one condition or group." });
        continue;
      }
      nodes += members.length;
      if (nodes > FILTER_NODES_MAX)
        return [{ path: [], detail: `Has more than ${FILTER_NODES_MAX} conditions and groups; make it smaller.` }];
      for (let i = members.length - 1; i >= 0; i--)
        open.push({ node: members[i] as unknown, path: [...at, i], depth: depth + 1 });
    }
  }
  return faults.slice(0, FAULTS_MAX);
}

const CONDITION = ' or {"property": "status", "op": "equals", "value": 200}';

function isRecord(node: unknown): node is Readonly<Record<string, unknown>> {
  return typeof node === "object" && node !== null && !Array.isArray(node);
}

function groupOf(node: Readonly<Record<string, unknown>>): { name: string; members: unknown } | undefined {
  const name = ["and", "or"].find((key) => Object.hasOwn(node, key));
  return name === undefined ? undefined : { name, members: node[name] };
}

function unknownField(path: FilterFault["path"], key: string): FilterFault {
  return { path: [...path, key], detail: "There is no field of this name here; leave it out." };
}

function conditionFaults(node: Readonly<Record<string, unknown>>): readonly FilterFault[] {
  const { property, op, value } = node;
  const faults = Object.keys(node)
    .filter((key) => !["property", "op", "value"].includes(key))
    .slice(0, FAULTS_MAX)
    .map((key) => unknownField([], key));
  const path = typeof property === "string" ? propertyPathFault(property) : 'Must name a property, as in "status".';
  if (path !== undefined) faults.push({ path: ["property"], detail: path });
  if (typeof op !== "string" || !Object.hasOwn(OPERATORS, op)) {
    const hint =
      typeof op === "string" && PATTERN_OPERATORS.test(op)
        ? " There are no regular expressions: use contains or starts_with."
        : "";
    return [...faults, { path: ["op"], detail: `Must be one of ${OPERATOR_NAMES}.${hint}` }];
  }
  return [...faults, ...operandFaults(op as Operator, Object.hasOwn(node, "value") ? value : undefined)];
}

function operandFaults(op: Operator, value: unknown): readonly FilterFault[] {
  const operand = OPERATORS[op];
  if (operand === "none")
    return value === undefined ? [] : [{ path: ["value"], detail: `\`${op}\` takes no value; leave it out.` }];
  if (operand !== "list") {
    const detail = operandFault(operand, op, value);
    return detail === undefined ? [] : [{ path: ["value"], detail }];
  }
  if (!Array.isArray(value) || value.length === 0)
    return [{ path: ["value"], detail: `\`${op}\` takes a list of at least one text, number, true or false.` }];
  if (value.length > FILTER_VALUES_MAX)
    return [{ path: ["value"], detail: `Must have at most ${FILTER_VALUES_MAX} values.` }];
  return value.flatMap((member, i) => {
    const detail = operandFault("scalar", op, member);
    return detail === undefined ? [] : [{ path: ["value", i], detail }];
  });
}

function operandFault(operand: "scalar" | "decimal" | "text", op: Operator, value: unknown): string | undefined {
  if (typeof value === "string") {
    if (value.length > FILTER_VALUE_LENGTH_MAX) return `Must have at most ${FILTER_VALUE_LENGTH_MAX} characters.`;
    if (!value.isWellFormed()) return "Must not hold half a surrogate pair.";
  }
  if (operand === "text")
    return typeof value === "string" && value !== "" ? undefined : `\`${op}\` takes a text that is not empty.`;
  if (typeof value === "number") return numberFault(value);
  if (operand === "decimal")
    return typeof value === "string" && isDecimal(value)
      ? undefined
      : `\`${op}\` takes a number, or a text that holds one.`;
  return typeof value === "string" || typeof value === "boolean"
    ? undefined
    : `\`${op}\` takes a text, a number, true or false.`;
}

function numberFault(value: number): string | undefined {
  if (Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))) return undefined;
  return "Is a number too large to be read exactly; write it as a text.";
}
