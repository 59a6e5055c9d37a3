import type { Aggregation } from "@tidemark/core/metric";
import { DISTINCT_SEGMENTS_MAX } from "./limits.ts";

/** The parts of a definition that depend on each other. */
interface Parts {
  readonly type: string;
  readonly aggregation: Aggregation;
  readonly value_property: string | null;
  readonly distinct_by: string | null;
  readonly group_by: readonly string[];
  readonly exposed_event_keys: readonly string[];
  readonly segments: readonly { readonly name: string; readonly color?: string | undefined }[];
  readonly decimal_places: number;
  readonly display: { readonly format: string; readonly currency: string | null };
}

interface MetricFault {
  readonly path: readonly (string | number)[];
  readonly detail: string;
}

/** What a metric's fields, each fine by itself, cannot be together. */
export function metricFaults(metric: Parts): readonly MetricFault[] {
  const { display } = metric;
  return [
    ...propertyFaults(metric),
    ...typeFaults(metric),
    ...listFaults(metric, "group_by"),
    ...listFaults(metric, "exposed_event_keys"),
    ...(metric.aggregation === "unique" && metric.segments.length > DISTINCT_SEGMENTS_MAX
      ? [{ path: ["segments"], detail: `A distinct count can have at most ${DISTINCT_SEGMENTS_MAX} segments.` }]
      : []),
    ...segmentFaults(metric, "name"),
    ...segmentFaults(metric, "color"),
    ...(display.format === "currency" && display.currency === null
      ? [{ path: ["display", "currency"], detail: 'Name the currency when the format is "currency".' }]
      : []),
  ];
}

function propertyFaults({ aggregation, value_property, distinct_by, decimal_places }: Parts): readonly MetricFault[] {
  const takesValue = aggregation !== "count" && aggregation !== "unique";
  const faults: MetricFault[] = [];
  if (takesValue && value_property === null)
    faults.push({
      path: ["value_property"],
      detail: `The aggregation ${aggregation} needs the property with the number.`,
    });
  if (!takesValue && value_property !== null)
    faults.push({
      path: ["value_property"],
      detail: `The aggregation ${aggregation} has no value property: leave it out, or use sum, max, min or latest.`,
    });
  if (aggregation === "unique" && distinct_by === null)
    faults.push({
      path: ["distinct_by"],
      detail: "The aggregation unique needs the property whose values are counted.",
    });
  if (aggregation !== "unique" && distinct_by !== null)
    faults.push({ path: ["distinct_by"], detail: "Only the aggregation unique counts distinct values: leave it out." });
  if (aggregation === "unique" && decimal_places !== 0)
    faults.push({ path: ["decimal_places"], detail: "Must be 0: the number of distinct values is a whole one." });
  return faults;
}

/** Pairs of type and aggregation that mean nothing, each with the reason. */
function typeFaults({ type, aggregation }: Parts): readonly MetricFault[] {
  const isLimit = type === "limit_metered" || type === "limit_recurring";
  const reason =
    isLimit && aggregation === "min"
      ? "A minimum only falls as usage grows, so it can never reach a limit: use count, sum, max or unique."
      : isLimit && aggregation === "latest"
        ? "The latest value is replaced and not used up, so it has no limit: use count, sum, max or unique."
        : type === "limit_recurring" && aggregation === "max"
          ? "What is left of a maximum cannot be carried over: use limit_metered, or count, sum or unique."
          : undefined;
  return reason === undefined ? [] : [{ path: ["aggregation"], detail: reason }];
}

function listFaults(metric: Parts, field: "group_by" | "exposed_event_keys"): readonly MetricFault[] {
  return new Set(metric[field]).size < metric[field].length
    ? [{ path: [field], detail: "Names a property twice." }]
    : [];
}

function segmentFaults({ segments }: Parts, field: "name" | "color"): readonly MetricFault[] {
  const values = segments.map((segment) => segment[field]);
  return values.flatMap((value, i) =>
    value !== undefined && values.indexOf(value) < i
      ? [{ path: ["segments", i, field], detail: `Another segment has the same ${field}.` }]
      : [],
  );
}
