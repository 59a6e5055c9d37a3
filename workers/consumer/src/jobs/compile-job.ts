import { type JobProgress, METRICS_MAX, type RecountScope } from "@tidemark/contract";
import { compileCatalog } from "@tidemark/core";
import { readCatalog } from "@tidemark/db/catalog";
import type { Job } from "@tidemark/db/jobs";
import type { VersionedCatalog } from "../catalog-cache.ts";

/** What a job evaluates events with, and what it tells the meters. */
export interface CompiledJob {
  readonly catalog: VersionedCatalog;
  readonly scope: RecountScope;
}

/** Every version of every metric, however long ago it was replaced; for a backfill the one it is about. */
export async function compileJob(db: D1Database, job: Job, progress: JobProgress): Promise<CompiledJob> {
  const { metric, from_day, to_day, limits_from = null } = job.params;
  const { metrics, version } = await readCatalog(db, job.project_id, METRICS_MAX, 0);
  const wanted =
    metric === null ? metrics : metrics.filter(({ id, version: of }) => id === metric.id && of === metric.version);
  return {
    // Books of a job cross no threshold.
    catalog: { version, catalog: compileCatalog(wanted), watched: new Map() },
    scope: {
      job_id: job.id,
      counters: wanted.map(({ counter_id }) => counter_id),
      from_day,
      to_day,
      catalog_version: progress.catalog_version ?? version,
      limits_from,
      trusts_archive: job.kind === "rebuild",
      // A meter that lost everything looks like a new one.
      may_skip: job.kind === "backfill",
    },
  };
}
