import { METRICS_MAX } from "@tidemark/contract";
import { type Catalog, compileCatalog } from "@tidemark/core";
import { readCatalog, readCatalogVersion } from "@tidemark/db/catalog";

const compiled = new Map<string, { readonly version: number; readonly catalog: Catalog }>();

/**
 * A project's metrics, compiled. The version is asked for each time, one row, so that an event received
 * after a metric was made is counted with it; the definitions are read only when it has changed.
 */
export async function catalogOf(db: D1Database, projectId: string): Promise<Catalog> {
  const version = await readCatalogVersion(db, projectId);
  const known = compiled.get(projectId);
  if (known !== undefined && known.version === version) return known.catalog;
  const { metrics, version: read } = await readCatalog(db, projectId, METRICS_MAX);
  const catalog = compileCatalog(metrics);
  compiled.set(projectId, { version: read, catalog });
  return catalog;
}
