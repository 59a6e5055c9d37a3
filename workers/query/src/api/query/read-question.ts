import type { ProblemDetail } from "@tidemark/contract";
import type { MetricDefinition } from "@tidemark/contract/metric-schema";
import type { QueryColumn, QueryQuestion } from "@tidemark/contract/query-schema";
import {
  GROUPS,
  LABEL_PREFIX,
  type Measure,
  MEASURES,
  TIME_GROUPS,
  type TimeGroup,
  changeName,
  previousName,
} from "@tidemark/contract/query-words";
import { invalid } from "../../plumbing/issues.ts";

/** By what an answer is grouped. */
export type Group =
  | { readonly kind: "customer"; readonly name: "customer" }
  | { readonly kind: "segment"; readonly name: "segment" }
  | { readonly kind: "time"; readonly name: TimeGroup }
  | { readonly kind: "label"; readonly name: string; readonly label: string };

/** A question in the words of its metric. */
export interface ReadQuestion {
  readonly groups: readonly Group[];
  readonly labels: readonly string[];
  readonly times: readonly TimeGroup[];
  readonly byCustomer: boolean;
  readonly bySegment: boolean;
  readonly measures: readonly Measure[];
  readonly only: readonly (readonly [label: string, values: readonly string[]])[];
  readonly segment: string | null;
  readonly compares: boolean;
  readonly columns: readonly QueryColumn[];
  readonly order: readonly { readonly column: QueryColumn; readonly direction: 1 | -1 }[];
}

type Labelled = Pick<MetricDefinition, "aggregation" | "group_by" | "segments">;

/**
 * Reads a question: what its names mean, and whether it can be answered exactly.
 *
 * @throws Problem invalid_request for what this metric does not have, or nobody can tell.
 */
export function readQuestion(question: QueryQuestion, metric: Labelled): ReadQuestion {
  const faults: ProblemDetail[] = [];
  const fault = (pointer: string, detail: string): number => faults.push({ pointer, code: "invalid_value", detail });
  const groups = question.group_by.flatMap((name, index) => {
    const group = readGroup(name, metric);
    if (typeof group !== "string") return [group];
    fault(`/group_by/${index}`, group);
    return [];
  });
  const { labels: conditions = {}, segment = null } = question.filter;
  for (const label of Object.keys(conditions))
    if (!metric.group_by.includes(label)) fault(`/filter/labels/${escapePointer(label)}`, labelRemedy(metric));
  if (segment !== null && !hasSegment(metric, segment)) fault("/filter/segment", segmentRemedy(metric));
  const names = groups.map(({ name }) => name);
  if (new Set(names).size < names.length) fault("/group_by", "Must name each once.");
  const columns = toColumns(groups, question);
  const order = question.order_by.flatMap(({ by, direction }, index) => {
    const column = columns.find(({ name }) => name === by);
    if (column !== undefined) return [{ column, direction: direction === "asc" ? (1 as const) : (-1 as const) }];
    fault(`/order_by/${index}/by`, `Must be one of ${columns.map(({ name }) => name).join(", ")}.`);
    return [];
  });
  const read: ReadQuestion = {
    groups,
    labels: groups.flatMap((group) => (group.kind === "label" ? [group.label] : [])),
    times: groups.flatMap((group) => (group.kind === "time" ? [group.name] : [])),
    byCustomer: names.includes("customer"),
    bySegment: groups.some(({ kind }) => kind === "segment"),
    measures: question.measures,
    only: Object.entries(conditions),
    segment,
    compares: question.compare !== null,
    columns,
    order: order.length > 0 ? order : defaultOrder(groups, columns),
  };
  faults.push(...findContradictions(read));
  if (faults.length > 0) throw invalid(faults);
  return read;
}

function readGroup(name: string, metric: Labelled): Group | string {
  const time = TIME_GROUPS.find((group) => group === name);
  if (time !== undefined) return { kind: "time", name: time };
  if (name === "customer") return { kind: "customer", name };
  if (name === "segment") return metric.segments.length > 0 ? { kind: "segment", name } : segmentRemedy(metric);
  const label = name.startsWith(LABEL_PREFIX) ? name.slice(LABEL_PREFIX.length) : name;
  if (metric.group_by.includes(label))
    return { kind: "label", name: RESERVED.has(label) ? LABEL_PREFIX + label : label, label };
  return `Must be one of ${GROUPS.join(", ")}, or a label of the metric. ${labelRemedy(metric)}`;
}

/** What other columns are called: a label with such a name always has its prefix. */
const RESERVED: ReadonlySet<string> = new Set([
  ...GROUPS,
  ...MEASURES.flatMap((measure) => [measure, previousName(measure), changeName(measure)]),
]);

function labelRemedy({ group_by }: Labelled): string {
  return group_by.length === 0 ? "This metric is not split by any label." : `Its labels are ${group_by.join(", ")}.`;
}

function hasSegment({ segments }: Labelled, name: string): boolean {
  return segments.some((segment) => segment.name === name);
}

function segmentRemedy({ segments }: Labelled): string {
  const names = segments.map(({ name }) => name).join(", ");
  return names === "" ? "This metric has no segments." : `Must be one of ${names}.`;
}

function escapePointer(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}

const KINDS: Readonly<Record<Measure, QueryColumn["kind"]>> = {
  value: "quantity",
  events: "count",
  active_days: "count",
  customers: "count",
  last_seen_at: "instant",
  rejected: "count",
};

function toColumns(groups: readonly Group[], { measures, compare }: QueryQuestion): readonly QueryColumn[] {
  return [
    ...groups.map(({ kind, name }): QueryColumn => ({
      name,
      in: "group",
      key: name,
      kind: kind === "customer" ? "customer" : "text",
    })),
    ...measures.flatMap((key): QueryColumn[] => {
      const value: QueryColumn = { name: key, in: "values", key, kind: KINDS[key] };
      // How much later somebody was seen is no change of a quantity.
      if (compare === null || key === "last_seen_at") return [value];
      return [
        value,
        { name: previousName(key), in: "previous", key, kind: KINDS[key] },
        { name: changeName(key), in: "change", key, kind: "change" },
      ];
    }),
  ];
}

function defaultOrder(groups: readonly Group[], columns: readonly QueryColumn[]): ReadQuestion["order"] {
  const times = columns.slice(0, groups.length).filter((_, index) => groups[index]?.kind === "time");
  if (times.length > 0) return times.map((column) => ({ column, direction: 1 }));
  const measure = columns[groups.length];
  return measure === undefined ? [] : [{ column: measure, direction: -1 }];
}

/** What cannot be told of what is kept, whatever the range. */
function findContradictions(question: ReadQuestion): readonly ProblemDetail[] {
  const { measures, labels, only, segment, bySegment, times } = question;
  const faults: ProblemDetail[] = [];
  const refuse = (measure: Measure, detail: string): void => {
    const index = measures.indexOf(measure);
    if (index >= 0) faults.push({ pointer: `/measures/${index}`, code: "invalid_value", detail });
  };
  if (labels.length > 0 || only.length > 0 || segment !== null || bySegment) {
    refuse("rejected", "`rejected` is not known of labels and segments: ask for it without them.");
    refuse("last_seen_at", "`last_seen_at` is not known of labels and segments: ask for it without them.");
  }
  if (times.length > 0)
    refuse("last_seen_at", "`last_seen_at` cannot be grouped by time: group by customer, or not at all.");
  if (question.compares && times.some((name) => !name.includes("_of_")))
    faults.push({
      pointer: "/compare",
      code: "invalid_value",
      detail:
        "An hour, day, week or month occurs once and has no counterpart: group by hour_of_day or day_of_week, or ask for both ranges.",
    });
  return faults;
}
