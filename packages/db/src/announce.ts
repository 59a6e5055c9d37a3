import { type SQL, sql } from "drizzle-orm";

/** Raises the version of a project's catalog, so that whoever keeps metrics, thresholds or products reads them again. */
export function announce(projectId: string, condition: SQL): SQL {
  return sql`UPDATE projects SET catalog_version = catalog_version + 1 WHERE id = ${projectId} AND ${condition}`;
}
