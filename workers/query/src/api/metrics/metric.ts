import type { MetricDefinition } from "@tidemark/contract/metric-schema";
import { findMetric, type MetricRow } from "@tidemark/db/metrics";
import { Problem } from "@tidemark/http/problem";
import { toInstantText } from "../../plumbing/instant.ts";
import { invalid } from "../../plumbing/issues.ts";

/** What people define of a metric, complete. */
export type Definition = Omit<MetricDefinition, "id" | "version" | "effective_from" | "created_at" | "updated_at">;

/** A stored metric as it is answered. */
export function toMetric(row: MetricRow): MetricDefinition {
  return {
    id: row.id,
    version: row.version,
    effective_from: toInstantText(row.effective_from),
    ...toDefinition(row.definition),
    slug: row.slug,
    created_at: toInstantText(row.created_at),
    updated_at: toInstantText(row.updated_at),
  };
}

/** A stored definition. What was checked when it was stored is not checked again. */
export function toDefinition(stored: string): Definition {
  return { ...LATER_FIELDS, ...(JSON.parse(stored) as Partial<Definition>) } as Definition;
}

/** Fields that definitions stored by earlier releases may lack. */
const LATER_FIELDS = { filters: null, distinct_by: null, segments: [] };

/**
 * The project's metric with a slug.
 *
 * @throws Problem not_found, the same whether it is nobody's or another project's.
 */
export async function requireMetric(db: D1Database, projectId: string, slug: string): Promise<MetricDefinition> {
  return toMetric(await requireMetricRow(db, projectId, slug));
}

/** The same, as it is stored. */
export async function requireMetricRow(db: D1Database, projectId: string, slug: string): Promise<MetricRow> {
  const row = await findMetric(db, projectId, slug);
  if (row === undefined)
    throw new Problem("not_found", "The project has no metric with this slug; GET /v1/metrics lists those it has.");
  return row;
}

/**
 * The metric that a body names.
 *
 * @throws Problem invalid_request.
 */
export async function requireNamedMetric(db: D1Database, projectId: string, slug: string): Promise<MetricDefinition> {
  const row = await findMetric(db, projectId, slug);
  if (row === undefined) throw unknownMetric();
  return toMetric(row);
}

/** The answer to a body that names no metric of the project. */
export function unknownMetric(): Problem {
  const detail = "The project has no metric with this slug; GET /v1/metrics lists those it has.";
  return invalid([{ pointer: "/metric", code: "unknown_metric", detail }]);
}
