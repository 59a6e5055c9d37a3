import type { Json, UsageEvent } from "./event.ts";
import { compileFilter, type Condition, type FilterNode, type Operator } from "./filter.ts";
import type { Metric, RejectionCode } from "./metric.ts";
import { type Properties, readerOf } from "./property.ts";

const WORDS: Readonly<Record<Operator, string>> = {
  equals: "must equal",
  not_equals: "must not equal",
  in: "must be one of",
  not_in: "must be none of",
  gt: "must be above",
  gte: "must be at least",
  lt: "must be below",
  lte: "must be at most",
  contains: "must contain",
  starts_with: "must start with",
  exists: "must be there",
  not_exists: "must not be there",
};

/** Alternatives that are listed when none of them holds. */
const ALTERNATIVES_MAX = 3;
/** Characters of a value that is shown. */
const SHOWN_MAX = 60;

/** Why a metric does not count an event at all: its name, or the first condition that does not hold. */
export function explainMiss(metric: Metric, event: Pick<UsageEvent, "event" | "properties">): string {
  const names = metric.event_matchers.map((matcher) => matcher.event);
  if (!names.includes(event.event))
    return `Listens to ${names.map(show).join(" or ")}, and this event is ${show(event.event)}.`;
  return metric.filters === null ? "" : `${explainNode(metric.filters, event.properties)}.`;
}

/** Why an event that matched has no value, in words. */
export function explainRejection(metric: Metric, code: RejectionCode, found: Json | undefined): string {
  const property = (metric.aggregation === "unique" ? metric.distinct_by : metric.value_property) ?? "";
  if (code === "value_missing")
    return `${property} is ${found === "" ? "empty" : "missing"}: the event is rejected, and not read as 0.`;
  return `${property} is ${show(found)}: ${REJECTIONS[code](metric)}`;
}

const REJECTIONS: Readonly<Record<Exclude<RejectionCode, "value_missing">, (metric: Metric) => string>> = {
  not_a_number: () => "not a decimal number.",
  too_precise: ({ decimal_places }) => `more than the ${decimal_places} decimal places of the metric.`,
  out_of_range: () => "beyond what 64 bits hold.",
  not_an_id: () => "a list or an object, and no id.",
};

/** Of a node that does not hold. */
function explainNode(node: FilterNode, properties: Properties): string {
  if ("and" in node) {
    const failing = node.and.find((child) => !holds(child, properties));
    return failing === undefined ? "" : explainNode(failing, properties);
  }
  if ("or" in node) {
    const reasons = node.or.slice(0, ALTERNATIVES_MAX).map((child) => explainNode(child, properties));
    const others = node.or.length - reasons.length;
    return `${reasons.join("; or else ")}${others > 0 ? `; and ${others} other alternatives do not hold` : ""}`;
  }
  return explainCondition(node, properties);
}

function explainCondition({ property, op, value }: Condition, properties: Properties): string {
  const found = readerOf(property)(properties);
  const wanted = value === undefined ? "" : ` ${show(value)}`;
  return `${property} ${WORDS[op]}${wanted}, and ${found === undefined || found === null ? "is missing" : `is ${show(found)}`}`;
}

function holds(node: FilterNode, properties: Properties): boolean {
  return compileFilter({ and: [node] })(properties);
}

function show(value: Json | undefined): string {
  const text = JSON.stringify(value ?? null);
  return text.length <= SHOWN_MAX ? text : `${text.slice(0, SHOWN_MAX - 1)}…`;
}
