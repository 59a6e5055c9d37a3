import { type Exact, type InexactCode, toExact } from "./exact.ts";
import type { Json, UsageEvent } from "./event.ts";

export type Aggregation = "count" | "sum";

/** The rule that turns events into a quantity, as stored; the fields of semantics that evaluation needs. */
export interface Metric {
  readonly id: string;
  readonly slug: string;
  /** Counts the definition's changes; every application names the version it used. */
  readonly version: number;
  readonly event_matchers: readonly { readonly event: string }[];
  readonly aggregation: Aggregation;
  /** A dotted path into `properties`; required for `sum`. */
  readonly value_property: string | null;
  /** Dotted paths that usage is split by, in order. */
  readonly group_by: readonly string[];
  readonly decimal_places: number;
}

/** A metric made ready for evaluation. */
export interface CompiledMetric {
  readonly metric: Metric;
  readonly valuePath: readonly string[] | null;
  readonly groupPaths: readonly (readonly string[])[];
}

/** A project's metrics by the event name they listen to: an event that no metric matches costs one look-up. */
export type Catalog = ReadonlyMap<string, readonly CompiledMetric[]>;

/** What one event does to one metric. */
export type Evaluation =
  | { readonly kind: "counted"; readonly value: Exact; readonly labels: readonly string[] }
  | { readonly kind: "rejected"; readonly code: InexactCode | "value_missing"; readonly labels: readonly string[] };

/** Label values are cut at this many characters, marked with an ellipsis. */
const LABEL_LENGTH_MAX = 1_000;

/** Compiles a project's metrics. */
export function compileCatalog(metrics: readonly Metric[]): Catalog {
  const catalog = new Map<string, CompiledMetric[]>();
  for (const metric of metrics) {
    const compiled: CompiledMetric = {
      metric,
      valuePath: metric.aggregation === "sum" ? toPath(metric.value_property) : null,
      groupPaths: metric.group_by.map((path) => path.split(".")),
    };
    for (const name of new Set(metric.event_matchers.map((matcher) => matcher.event))) {
      const listeners = catalog.get(name);
      if (listeners === undefined) catalog.set(name, [compiled]);
      else listeners.push(compiled);
    }
  }
  return catalog;
}

function toPath(property: string | null): readonly string[] {
  if (property === null) throw new Error("a sum has a value property");
  return property.split(".");
}

/**
 * Follows a path through own properties only; arrays and prototypes are not entered. A key that holds
 * the whole dotted path itself wins over the nested one.
 */
function readProperty(properties: UsageEvent["properties"], path: readonly string[]): Json | undefined {
  if (properties === undefined) return undefined;
  const [first = "", ...rest] = path;
  if (rest.length === 0) return Object.hasOwn(properties, first) ? properties[first] : undefined;
  const literal = path.join(".");
  if (Object.hasOwn(properties, literal)) return properties[literal];
  let value: Json = properties;
  for (const key of path) {
    if (typeof value !== "object" || value === null || Array.isArray(value) || !Object.hasOwn(value, key))
      return undefined;
    value = (value as { readonly [key: string]: Json })[key] as Json;
  }
  return value;
}

/** A property as a label: text as it is, numbers and booleans as JSON writes them, nothing as "". */
function toLabel(value: Json | undefined): string {
  if (value === undefined || value === null) return "";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length <= LABEL_LENGTH_MAX ? text : `${text.slice(0, LABEL_LENGTH_MAX - 1)}…`;
}

const NO_LABELS: readonly string[] = [];

/**
 * Applies a metric to an event whose name it listens to. A value that is missing or not a decimal is
 * `rejected`, never read as 0.
 */
export function evaluate(compiled: CompiledMetric, event: UsageEvent): Evaluation {
  const { groupPaths, valuePath, metric } = compiled;
  const labels =
    groupPaths.length === 0 ? NO_LABELS : groupPaths.map((path) => toLabel(readProperty(event.properties, path)));
  if (valuePath === null)
    return { kind: "counted", value: metric.decimal_places === 0 ? 1 : 10 ** metric.decimal_places, labels };
  const property = readProperty(event.properties, valuePath);
  if (property === undefined || property === null) return { kind: "rejected", code: "value_missing", labels };
  const value = toExact(property, metric.decimal_places);
  return typeof value === "string" ? { kind: "rejected", code: value, labels } : { kind: "counted", value, labels };
}
