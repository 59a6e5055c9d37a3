import type { Json, UsageEvent } from "./event.ts";
import { type Exact, type InexactCode, toExact } from "./exact.ts";
import { compileFilter, type Filter, type FilterTree } from "./filter.ts";
import { hashId } from "./fingerprint.ts";
import { type PropertyReader, readerOf } from "./property.ts";

/** How events become one quantity. `latest` is the value that was said last. */
export type Aggregation = "count" | "sum" | "max" | "min" | "unique" | "latest";

/** A named part of a metric: the events that its filters pass. Segments may overlap. */
export interface Segment {
  readonly name: string;
  readonly filters: FilterTree;
}

/** The rule that turns events into a quantity: one version of a metric, with what evaluation needs of it. */
export interface Metric {
  readonly id: string;
  readonly slug: string;
  /** Counts the definition's changes; every application names the version it used. */
  readonly version: number;
  /** Under what this version's usage is kept: the metric's id for the first, one of its own for each later one. */
  readonly counter_id: string;
  /** It counts events that were received from here on, in milliseconds; `null`: whenever. A first version begins when it is made. */
  readonly received_from: number | null;
  /** And that happened from here on; `null`: however long ago. A later version begins when it takes effect. */
  readonly counts_from: number | null;
  /** And before this; `null`: there is no later version. */
  readonly counts_until: number | null;
  /** Besides, events that happened in these spans, half-open: they have been counted from the archive. */
  readonly backfilled: readonly (readonly [from: number, until: number])[];
  readonly event_matchers: readonly { readonly event: string }[];
  readonly filters: FilterTree | null;
  readonly aggregation: Aggregation;
  /** A dotted path into `properties`; required for `sum`, `max`, `min` and `latest`. */
  readonly value_property: string | null;
  /** A dotted path; required for `unique`. */
  readonly distinct_by: string | null;
  /** Dotted paths that usage is split by, in order. */
  readonly group_by: readonly string[];
  readonly segments: readonly Segment[];
  /** Dotted paths to show where people look at events. */
  readonly exposed_event_keys: readonly string[];
  readonly decimal_places: number;
}

/** A metric made ready for evaluation. */
export interface CompiledMetric {
  readonly metric: Metric;
  readonly from: number;
  readonly until: number;
  readonly receivedFrom: number;
  readonly passes: Filter | null;
  readonly readValue: PropertyReader | null;
  readonly labels: readonly PropertyReader[];
  readonly segments: readonly Filter[];
  /** What to show of an event. */
  readonly exposed: readonly { readonly path: string; readonly read: PropertyReader }[];
}

/** A project's metrics by the event name they listen to: an event that no metric matches costs one look-up. */
export type Catalog = ReadonlyMap<string, readonly CompiledMetric[]>;

/** Why an event that matched cannot be counted. */
export type RejectionCode = InexactCode | "value_missing" | "not_an_id";

/** What one event does to one metric. */
export type Evaluation =
  /** The filters did not let it pass, or another version counts it. */
  | { readonly kind: "unmatched" }
  | {
      readonly kind: "counted";
      /** In the metric's smallest unit; for `unique` the id's 52-bit hash. */
      readonly value: Exact;
      readonly labels: readonly string[];
      /** Bit `i`: the event is in segment `i`. */
      readonly segments: number;
    }
  | {
      readonly kind: "rejected";
      readonly code: RejectionCode;
      /** What was there in place of a value. */
      readonly found: Json | undefined;
      readonly labels: readonly string[];
      readonly segments: number;
    };

/** Label values are cut at this many characters, marked with an ellipsis. */
const LABEL_LENGTH_MAX = 1_000;

const NO_LABELS: readonly string[] = [];
const UNMATCHED: Evaluation = { kind: "unmatched" };

/** Makes one metric ready. */
export function compileMetric(metric: Metric): CompiledMetric {
  const path = metric.aggregation === "unique" ? metric.distinct_by : metric.value_property;
  if (path === null && metric.aggregation !== "count") throw new Error(`a ${metric.aggregation} needs a property`);
  return {
    metric,
    from: metric.counts_from ?? -Infinity,
    until: metric.counts_until ?? Infinity,
    receivedFrom: metric.received_from ?? -Infinity,
    passes: metric.filters === null ? null : compileFilter(metric.filters),
    readValue: path === null || metric.aggregation === "count" ? null : readerOf(path),
    labels: metric.group_by.map(readerOf),
    segments: metric.segments.map(({ filters }) => compileFilter(filters)),
    exposed: metric.exposed_event_keys.map((key) => ({ path: key, read: readerOf(key) })),
  };
}

/** Compiles a project's metrics. */
export function compileCatalog(metrics: readonly Metric[]): Catalog {
  const catalog = new Map<string, CompiledMetric[]>();
  for (const metric of metrics) {
    const compiled = compileMetric(metric);
    for (const name of new Set(metric.event_matchers.map((matcher) => matcher.event))) {
      const listeners = catalog.get(name);
      if (listeners === undefined) catalog.set(name, [compiled]);
      else listeners.push(compiled);
    }
  }
  return catalog;
}

/**
 * Applies a metric to an event whose name it listens to. A value that is missing or not a decimal is
 * `rejected`, never read as 0.
 *
 * @param instant when the event happened, in milliseconds.
 * @param receivedAt when it was received.
 */
export function evaluate(
  compiled: CompiledMetric,
  event: UsageEvent,
  instant: number,
  receivedAt: number = instant,
): Evaluation {
  const { metric, passes, readValue } = compiled;
  const { properties } = event;
  if (instant >= compiled.until) return UNMATCHED;
  if ((instant < compiled.from || receivedAt < compiled.receivedFrom) && !isBackfilled(metric, instant))
    return UNMATCHED;
  if (passes !== null && !passes(properties)) return UNMATCHED;
  const labels = compiled.labels.length === 0 ? NO_LABELS : compiled.labels.map((read) => toLabel(read(properties)));
  const segments = segmentsOf(compiled.segments, properties);
  if (readValue === null)
    return {
      kind: "counted",
      value: metric.decimal_places === 0 ? 1 : 10 ** metric.decimal_places,
      labels,
      segments,
    };
  const found = readValue(properties);
  const value = found === undefined || found === null ? "value_missing" : toValue(found, metric);
  return typeof value === "string"
    ? { kind: "rejected", code: value, found, labels, segments }
    : { kind: "counted", value, labels, segments };
}

function isBackfilled({ backfilled }: Metric, instant: number): boolean {
  return backfilled.some(([from, until]) => instant >= from && instant < until);
}

function toValue(found: Json, { aggregation, decimal_places }: Metric): Exact | RejectionCode {
  return aggregation === "unique" ? hashDistinct(found) : toExact(found, decimal_places);
}

function segmentsOf(filters: readonly Filter[], properties: UsageEvent["properties"]): number {
  let bits = 0;
  for (let i = 0; i < filters.length; i++) if (filters[i]?.(properties) === true) bits |= 1 << i;
  return bits;
}

/** A property as a label: text as it is, numbers and booleans as JSON writes them, nothing as "". */
export function toLabel(value: Json | undefined): string {
  if (value === undefined || value === null) return "";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  // A cut may fall between the halves of a character.
  return text.length <= LABEL_LENGTH_MAX ? text : `${text.slice(0, LABEL_LENGTH_MAX - 1).toWellFormed()}…`;
}

const words = new Uint32Array(2);

/** A 52-bit hash of a text: among 100,000 of them two are the same once in a million times. */
export function hash52(text: string): number {
  hashId(text, words, 0);
  return ((words[1] ?? 0) & 0xfffff) * 0x1_0000_0000 + (words[0] ?? 0);
}

/** An id's hash: the number 5 and the text "5" are one id; an empty text is none. */
function hashDistinct(found: Json): number | RejectionCode {
  if (found === "") return "value_missing";
  return typeof found === "object" ? "not_an_id" : hash52(String(found));
}
