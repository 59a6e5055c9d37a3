import type { Metric } from "@tidemark/core";

const VERSION = "SELECT catalog_version FROM projects WHERE id = ?";
const METRICS = "SELECT id, slug, version, definition FROM metrics WHERE project_id = ? ORDER BY id LIMIT ?";

/** The version of a project's metrics, or `undefined` when there is no such project. One row read. */
export async function readCatalogVersion(db: D1Database, projectId: string): Promise<number | undefined> {
  return (await db.prepare(VERSION).bind(projectId).first<number>("catalog_version")) ?? undefined;
}

/** A project's metrics with the version they belong to, read together. */
export async function readCatalog(
  db: D1Database,
  projectId: string,
  limit: number,
): Promise<{ readonly version: number; readonly metrics: readonly Metric[] }> {
  const [versions, rows] = await db.batch([
    db.prepare(VERSION).bind(projectId),
    db.prepare(METRICS).bind(projectId, limit),
  ]);
  const [version] = (versions?.results ?? []) as { catalog_version: number }[];
  const metrics = ((rows?.results ?? []) as { id: string; slug: string; version: number; definition: string }[]).map(
    ({ definition, ...row }) => ({ ...(JSON.parse(definition) as Omit<Metric, "id" | "slug" | "version">), ...row }),
  );
  return { version: version?.catalog_version ?? 0, metrics };
}
