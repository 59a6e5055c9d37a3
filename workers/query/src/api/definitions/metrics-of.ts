import type { MetricDefinition } from "@tidemark/contract/metric-schema";
import { findMetrics } from "@tidemark/db/metrics";
import { toMetric } from "../metrics/metric.ts";
import type { HeldDefinition } from "./read-definitions.ts";

/** The metric of each definition that has one, deleted ones too. */
export type MetricOf = (held: Pick<HeldDefinition, "definition">) => MetricDefinition | undefined;

/** Reads the metrics that some definitions are about. */
export async function metricsOf(
  db: D1Database,
  projectId: string,
  definitions: readonly Pick<HeldDefinition, "definition">[],
): Promise<MetricOf> {
  const ids = new Set(definitions.map(({ definition }) => definition.metric_id).filter((id) => id !== ""));
  const rows = await findMetrics(db, projectId, [...ids]);
  const byId = new Map(rows.map((row) => [row.id, toMetric(row)]));
  return ({ definition }) => byId.get(definition.metric_id);
}

/** The same of a definition that always has one. */
export function requireMetricOf(metricOf: MetricOf, held: Pick<HeldDefinition, "definition">): MetricDefinition {
  const metric = metricOf(held);
  if (metric === undefined) throw new Error("A metric keeps its row.");
  return metric;
}
