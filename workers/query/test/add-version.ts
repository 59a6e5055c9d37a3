import type { MetricInput } from "@tidemark/contract/metric-schema";
import { env } from "cloudflare:workers";
import type { TestProject } from "./fixture.ts";

/** Gives a metric another version, as a change of its rules does. @returns its counter. */
export async function addVersion(
  project: TestProject,
  metricId: string,
  rules: Partial<MetricInput>,
  { effectiveFrom, shownFrom }: { readonly effectiveFrom: number; readonly shownFrom: number },
): Promise<string> {
  const metric = await env.DB.prepare("SELECT version, definition FROM metrics WHERE project_id = ? AND id = ?")
    .bind(project.id, metricId)
    .first<{ version: number; definition: string }>();
  if (metric === null) throw new Error("there is no such metric");
  const version = metric.version + 1;
  const definition = JSON.stringify({ ...(JSON.parse(metric.definition) as object), ...rules });
  await env.DB.batch([
    env.DB.prepare("UPDATE metrics SET version = ?, definition = ? WHERE project_id = ? AND id = ?").bind(
      version,
      definition,
      project.id,
      metricId,
    ),
    env.DB.prepare(
      `INSERT INTO metric_versions
         (project_id, metric_id, version, counter_id, definition, effective_from, counts_from, shown_from, created_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ).bind(
      project.id,
      metricId,
      version,
      `${metricId}.${version}`,
      definition,
      effectiveFrom,
      shownFrom,
      shownFrom,
      effectiveFrom,
    ),
  ]);
  return `${metricId}.${version}`;
}
