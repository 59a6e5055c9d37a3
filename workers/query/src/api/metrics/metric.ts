import type { MetricDefinition } from "@tidemark/contract/metric-schema";
import { findMetric, type MetricRow } from "@tidemark/db/metrics";
import { Problem } from "@tidemark/http/problem";
import { toInstantText } from "../../plumbing/instant.ts";

/** A stored metric as it is answered. What was checked when it was stored is not checked again. */
export function toMetric(row: MetricRow): MetricDefinition {
  const definition = JSON.parse(row.definition) as Omit<
    MetricDefinition,
    "id" | "version" | "created_at" | "updated_at"
  >;
  return {
    id: row.id,
    ...definition,
    slug: row.slug,
    version: row.version,
    created_at: toInstantText(row.created_at),
    updated_at: toInstantText(row.updated_at),
  };
}

/**
 * The project's metric with a slug.
 *
 * @throws Problem not_found, the same whether it is nobody's or another project's.
 */
export async function requireMetric(db: D1Database, projectId: string, slug: string): Promise<MetricDefinition> {
  const row = await findMetric(db, projectId, slug);
  if (row === undefined)
    throw new Problem("not_found", "The project has no metric with this slug; GET /v1/metrics lists those it has.");
  return toMetric(row);
}
