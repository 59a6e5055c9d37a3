import type { MetricDefinition } from "@tidemark/contract/metric-schema";
import type { CounterView } from "@tidemark/core/usage-fold";
import type { ProjectRow } from "@tidemark/db/projects";
import { invalid } from "../../plumbing/issues.ts";
import { toInstantText } from "../../plumbing/instant.ts";
import { EVERYTHING, readCounters, type Selection, toViews } from "../usage/counters.ts";

/** What a report is about, and as of when, in milliseconds. */
export interface ReportSubject {
  readonly project: ProjectRow;
  readonly metric: MetricDefinition;
  readonly now: number;
}

/** The days that a report shows, both ends included. */
interface ShownDays {
  readonly days: number;
  readonly from: string;
  readonly to: string;
  readonly time_zone: string;
}

/** What every report says of itself. */
export function aboutReport({ metric, now }: ReportSubject, shown: ShownDays, approximate: boolean) {
  return {
    metric: metric.slug,
    name: metric.name,
    unit: metric.unit,
    aggregation: metric.aggregation,
    ...shown,
    as_of: toInstantText(now),
    approximate,
  };
}

/** The counters of a report's metric, as it looks at them. */
export async function readViews(
  db: D1Database,
  { project, metric }: Pick<ReportSubject, "project" | "metric">,
  selection: Selection = EVERYTHING,
): Promise<readonly CounterView[]> {
  const counters = await readCounters(db, project.id, [metric]);
  return toViews(counters.get(metric.id) ?? [], selection);
}

/**
 * How a metric adds up, for reports that show parts of a total.
 *
 * @throws Problem invalid_request for what chooses a value, or counts ids that several parts can share.
 */
export function requireAdditive({ aggregation }: Pick<MetricDefinition, "aggregation">): "count" | "sum" {
  if (aggregation === "count" || aggregation === "sum") return aggregation;
  const detail =
    `This report divides a total into parts, and those of ${aggregation} do not add up: ` +
    "ask it of a metric that counts or sums, or see GET /v1/usage with `group_by`.";
  throw invalid([{ pointer: "/metric", code: "not_additive", detail }]);
}
