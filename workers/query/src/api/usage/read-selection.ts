import type { MetricDefinition } from "@tidemark/contract/metric-schema";
import type { UsageQuery } from "@tidemark/contract/usage-schema";
import { invalid } from "../../plumbing/issues.ts";
import type { Selection } from "./counters.ts";

/**
 * What of a metric a query looks at.
 *
 * @throws Problem invalid_request for labels and segments that the metric does not have.
 */
export function readSelection(
  query: Pick<UsageQuery, "group_by" | "segment" | "filter">,
  metric: Pick<MetricDefinition, "group_by" | "segments">,
): Selection {
  return {
    labels: query.group_by === undefined ? null : readLabels(query.group_by, metric),
    segment: query.segment === undefined ? null : readSegment(query.segment, metric),
    only: query.filter.map((text) => readFilter(text, metric)),
  };
}

type Labelled = Pick<MetricDefinition, "group_by">;

function readLabels(text: string, { group_by }: Labelled): readonly string[] {
  const labels = text.split(",").map((label) => label.trim());
  const unknown = labels.find((label) => !group_by.includes(label));
  if (unknown !== undefined || new Set(labels).size < labels.length)
    throw fault("group_by", group_by.length === 0 ? NO_LABELS : `Must be of ${group_by.join(", ")}, each once.`);
  return labels;
}

const NO_LABELS = "This metric is not split by any label.";

function readSegment(name: string, { segments }: Pick<MetricDefinition, "segments">): string {
  if (segments.some((segment) => segment.name === name)) return name;
  const names = segments.map((segment) => segment.name).join(", ");
  throw fault("segment", names === "" ? "This metric has no segments." : `Must be one of ${names}.`);
}

function readFilter(text: string, { group_by }: Labelled): readonly [label: string, value: string] {
  const label = group_by.find((name) => text.startsWith(`${name}:`));
  if (label !== undefined) return [label, text.slice(label.length + 1)];
  const labels = group_by.join(", ");
  throw fault("filter", labels === "" ? NO_LABELS : `Must be label:value, the label one of ${labels}.`);
}

function fault(name: string, detail: string): Error {
  return invalid([{ pointer: `/${name}`, code: "invalid_value", detail }]);
}
