import { METRICS_MAX } from "@tidemark/contract";
import { type Catalog, compileCatalog } from "@tidemark/core";
import { readCatalog, readCatalogVersion, type WatchedMetrics } from "@tidemark/db/catalog";

/** A project's metrics, compiled, and which state of them. */
export interface VersionedCatalog {
  readonly version: number;
  readonly catalog: Catalog;
  readonly watched: WatchedMetrics;
}

const compiled = new Map<string, VersionedCatalog>();

/**
 * A project's metrics, compiled. The version is asked for each time, one row, so that an event received
 * after a metric was made is counted with it; the definitions are read only when it has changed.
 */
export async function catalogOf(db: D1Database, projectId: string): Promise<VersionedCatalog> {
  const current = await readCatalogVersion(db, projectId);
  const known = compiled.get(projectId);
  if (known !== undefined && known.version === current) return known;
  const { metrics, version, watched } = await readCatalog(db, projectId, METRICS_MAX, Date.now());
  const read: VersionedCatalog = { version, catalog: compileCatalog(metrics), watched };
  compiled.set(projectId, read);
  return read;
}
