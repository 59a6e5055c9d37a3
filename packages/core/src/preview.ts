import type { UsageEvent } from "./event.ts";
import { type Exact, formatExact } from "./exact.ts";
import { type ExampleEvent, exampleEvent } from "./example-event.ts";
import { explainMiss, explainRejection } from "./explain-miss.ts";
import { type CompiledMetric, compileMetric, evaluate, hash52, type Metric } from "./metric.ts";
import { aggregate, type Entry, exampleLine, toShown, workedOut } from "./preview-line.ts";
import { previewSnippets, type Snippets } from "./preview-snippets.ts";
import { readerOf } from "./property.ts";
import type { SegmentColor } from "./segment-colors.ts";
import { toInstant } from "./timestamp.ts";

/** What of a definition a preview needs. */
export interface PreviewDefinition extends Pick<
  Metric,
  "event_matchers" | "filters" | "aggregation" | "value_property" | "distinct_by" | "group_by" | "decimal_places"
> {
  readonly segments: readonly (Metric["segments"][number] & { readonly color: SegmentColor })[];
  readonly allow_negative: boolean;
}

/** An event to try; one without a timestamp happens after those before it. */
export type PreviewEvent = Pick<UsageEvent, "event" | "timestamp" | "properties"> & {
  readonly id?: string | undefined;
  readonly customer_id?: string | undefined;
};

/** What became of one event. */
export interface PreviewedEvent {
  readonly index: number;
  /** Whether the metric listens to it and its filters pass. */
  readonly matched: boolean;
  /** Why it does not count; `null` when it does. */
  readonly reason: string | null;
  /** What it adds, or says; for `unique` the id. */
  readonly value: string | null;
  /** The result until here. */
  readonly running: string | null;
  /** Names of the segments that it is in. */
  readonly segments: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** An event with its id came before: it is counted once. */
  readonly is_duplicate: boolean;
}

export interface Preview {
  readonly events: readonly PreviewedEvent[];
  /** As it would be read; `null` when there is nothing to take a maximum, minimum or latest value of. */
  readonly result: string | null;
  readonly segments: readonly {
    readonly name: string;
    readonly color: SegmentColor;
    readonly result: string | null;
  }[];
  /** An event that the metric counts; `null` when its filters let none pass. */
  readonly example_event: ExampleEvent | null;
  /** The result, worked out: `1 + 2 + 3 = 6`. */
  readonly aggregation_line: string;
  readonly snippets: Snippets | null;
}

export interface PreviewContext {
  /** When events without a timestamp happen, in milliseconds. */
  readonly now: number;
  /** Of the deployment, for the snippets. */
  readonly origin: string;
  /** A result to go on from, in the metric's smallest unit; `null` for none. */
  readonly state: Exact | null;
}

/** Tries a metric on events, as the meter would count them for one customer. Changes nothing. */
export function previewMetric(
  definition: PreviewDefinition,
  events: readonly PreviewEvent[],
  context: PreviewContext,
): Preview {
  const compiled = compileMetric({ ...PLACE, ...definition });
  const state = context.state === null ? null : BigInt(context.state);
  const show = (from: bigint | null, some: readonly Entry[]) =>
    toShown(aggregate(definition.aggregation, some, from), definition);
  const seen = new Set<string>();
  const entries: Entry[] = [];
  const previewed = events.map((given, index) => {
    const event = toUsageEvent(given, index);
    const key = JSON.stringify([event.customer_id, event.id]);
    const { entry, ...outcome } = tryEvent(compiled, event, {
      at: given.timestamp === undefined ? context.now + index : toInstant(given.timestamp),
      isDuplicate: seen.has(key),
    });
    seen.add(key);
    if (entry !== null) entries.push(entry);
    return { index, ...outcome, value: entry?.text ?? null, running: show(state, entries) };
  });
  const example = exampleEvent(compiled);
  return {
    events: previewed,
    result: show(state, entries),
    segments: definition.segments.map(({ name, color }, i) => {
      const own = entries.filter(({ segments }) => (segments & (1 << i)) !== 0);
      return { name, color, result: show(null, own) };
    }),
    example_event: example,
    aggregation_line: entries.length === 0 ? exampleLine(definition) : workedOut(definition, entries, state),
    snippets: example === null ? null : previewSnippets(example, context.origin),
  };
}

function toUsageEvent({ id, event, customer_id, properties }: PreviewEvent, index: number): UsageEvent {
  // No id that is sent can hold a control character.
  return { id: id ?? `\0${index}`, event, customer_id: customer_id ?? "customer_1", properties };
}

function tryEvent(
  compiled: CompiledMetric,
  event: UsageEvent,
  { at, isDuplicate }: { readonly at: number; readonly isDuplicate: boolean },
): Omit<PreviewedEvent, "index" | "value" | "running"> & { readonly entry: Entry | null } {
  const { metric } = compiled;
  const listens = metric.event_matchers.some((matcher) => matcher.event === event.event);
  const outcome = listens ? evaluate(compiled, event, at) : ({ kind: "unmatched" } as const);
  if (outcome.kind === "unmatched") {
    const reason = explainMiss(metric, event);
    return { matched: false, reason, segments: [], labels: {}, is_duplicate: isDuplicate, entry: null };
  }
  const place = {
    matched: true,
    segments: metric.segments.filter((_, i) => (outcome.segments & (1 << i)) !== 0).map(({ name }) => name),
    labels: Object.fromEntries(metric.group_by.map((path, i) => [path, outcome.labels[i] ?? ""])),
    is_duplicate: isDuplicate,
  };
  if (isDuplicate) return { ...place, reason: DUPLICATE, entry: null };
  if (outcome.kind === "rejected")
    return { ...place, reason: explainRejection(metric, outcome.code, outcome.found), entry: null };
  const text = textOf(metric, outcome.value, event.properties);
  const entry = { value: BigInt(outcome.value), text, segments: outcome.segments, at, tie: hash52(event.id) };
  return { ...place, reason: null, entry };
}

const PLACE = {
  id: "preview",
  slug: "preview",
  version: 1,
  counter_id: "preview",
  received_from: null,
  counts_from: null,
  counts_until: null,
  backfilled: [],
  exposed_event_keys: [],
};
const DUPLICATE = "An event with this id came before: each is counted once.";

function textOf(metric: Metric, value: Exact, properties: UsageEvent["properties"]): string {
  if (metric.aggregation !== "unique") return formatExact(value, metric.decimal_places);
  const id = readerOf(metric.distinct_by ?? "")(properties);
  return typeof id === "string" ? id : JSON.stringify(id);
}
