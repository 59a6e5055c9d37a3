import { decidedCounter } from "@tidemark/contract";
import type { MetricDefinition } from "@tidemark/contract/metric-schema";
import { type DayRange, shownDays } from "@tidemark/core/shown-days";
import { dayOf } from "@tidemark/core/timestamp";
import type { CounterView } from "@tidemark/core/usage-fold";
import { type MetricVersionRow, readVersions } from "@tidemark/db/metric-versions";
import { toDefinition } from "../metrics/metric.ts";

/** One version of a metric as a place where usage is kept, with the days that it is read for. */
export interface Counter extends DayRange {
  readonly counter_id: string;
  /** What it reads of an event; `null` where it only counts. */
  readonly property: string | null;
  readonly group_by: readonly string[];
  /** Names, by their bit. */
  readonly segments: readonly string[];
}

/** What of a metric is looked at, in the words of its definition. */
export interface Selection {
  /** `null` not to group. */
  readonly labels: readonly string[] | null;
  readonly segment: string | null;
  readonly only: readonly (readonly [label: string, value: string])[];
}

/** All of a metric, not split. */
export const EVERYTHING: Selection = { labels: null, segment: null, only: [] };

/**
 * Every counter of some metrics, by metric: those of events, and those of what was decided before it happened,
 * each by the labels and segments that its version had.
 */
export async function readCounters(
  db: D1Database,
  projectId: string,
  metrics: readonly MetricDefinition[],
): Promise<ReadonlyMap<string, readonly Counter[]>> {
  const versionsOf = await readChanged(db, projectId, metrics);
  return new Map(
    metrics.map((metric) => [metric.id, [...ofEvents(metric, versionsOf), ...ofDecisions(metric, versionsOf)]]),
  );
}

/** The counters of some metrics' events, by metric. */
export async function readEventCounters(
  db: D1Database,
  projectId: string,
  metrics: readonly MetricDefinition[],
): Promise<ReadonlyMap<string, readonly Counter[]>> {
  const versionsOf = await readChanged(db, projectId, metrics);
  return new Map(metrics.map((metric) => [metric.id, ofEvents(metric, versionsOf)]));
}

type Versions = ReadonlyMap<string, readonly MetricVersionRow[]>;

/** The versions of metrics that have several. One that never changed its rules is its own, and costs no query. */
async function readChanged(db: D1Database, projectId: string, metrics: readonly MetricDefinition[]): Promise<Versions> {
  const changed = metrics.filter(({ version }) => version > 1).map(({ id }) => id);
  return Map.groupBy(await readVersions(db, projectId, changed), ({ metric_id }) => metric_id);
}

function ofEvents(metric: MetricDefinition, versionsOf: Versions): readonly Counter[] {
  const own = versionsOf.get(metric.id);
  if (own === undefined) return [toCounter(metric.id, metric, ALWAYS)];
  const ranges = shownDays(own.map(({ shown_from }) => shown_from));
  return own.flatMap(({ counter_id, definition }, index) => {
    const range = ranges[index] ?? null;
    return range === null ? [] : [toCounter(counter_id, toDefinition(definition), range)];
  });
}

/**
 * A decision is made once, under the version that was in force, and never counted again: a version that
 * others have taken the place of keeps its decisions. A meter may learn later that the next one has begun.
 */
function ofDecisions(metric: MetricDefinition, versionsOf: Versions): readonly Counter[] {
  const own = versionsOf.get(metric.id);
  if (own === undefined) return [toCounter(decidedCounter(metric.id), metric, ALWAYS)];
  return own.map(({ counter_id, counts_from, definition }) => {
    const first = counts_from === null ? -Infinity : dayOf(counts_from);
    return toCounter(decidedCounter(counter_id), toDefinition(definition), { first, last: Infinity });
  });
}

const ALWAYS: DayRange = { first: -Infinity, last: Infinity };

function toCounter(
  counterId: string,
  definition: Pick<MetricDefinition, "value_property" | "distinct_by" | "group_by" | "segments">,
  { first, last }: DayRange,
): Counter {
  const { value_property, distinct_by, group_by } = definition;
  const segments = definition.segments.map(({ name }) => name);
  return { counter_id: counterId, property: value_property ?? distinct_by, group_by, segments, first, last };
}

/**
 * How a selection sees each counter. A label that a version lacks is "" there, and a version without the
 * segment, or whose labels cannot be what is asked for, has nothing to see.
 */
export function toViews(counters: readonly Counter[], { labels, segment, only }: Selection): readonly CounterView[] {
  return counters.flatMap(({ counter_id, group_by, segments, first, last }) => {
    const bit = segment === null ? null : segments.indexOf(segment);
    const conditions = only.map(([label, value]) => [group_by.indexOf(label), value] as const);
    if (bit === -1 || conditions.some(([index, value]) => index < 0 && value !== "")) return [];
    return {
      counter_id,
      first,
      last,
      labelIndexes: labels?.map((label) => group_by.indexOf(label)) ?? null,
      segment: bit,
      only: conditions.filter(([index]) => index >= 0),
    };
  });
}
