import type { JobProgress } from "@tidemark/contract";
import { DAY_MS, formatDay } from "@tidemark/core";
import { addJobCustomers, countMet, markNeedless } from "@tidemark/db/job-customers";
import type { Job } from "@tidemark/db/jobs";
import { archivePrefix } from "../archive-events.ts";
import type { ConsumerEnv } from "../env.ts";
import { type CompiledJob, compileJob } from "./compile-job.ts";
import { readArchived } from "./read-archived.ts";
import { recountBatches } from "./recount-batches.ts";
import type { Step } from "./run-job.ts";

/** Objects read in one step. */
const OBJECTS_PER_STEP = 10;
/** Objects listed at once. */
const LIST_MAX = 1_000;
/** Objects are counted up to a hundred thousand: nobody should count for longer than a lease. */
const LIST_PAGES_MAX = 100;
/** How far the archive's clock may be behind the one that made the job. */
const CLOCKS_APART_MS = 5 * 60_000;
/** Passes after which customers who are new all the time do not hold the job up: those of the last one stay as they are. */
export const PASSES_MAX = 50;

/**
 * Reads the next few objects of the archive and enters their events into the meters' second books.
 *
 * One pass is not enough: a customer's books follow the meter from the moment they are open, and what was
 * archived before that moment may lie behind the place where this pass was. So objects written since the
 * job began are read again, until a pass meets no customer for the first time. Entering an event twice
 * changes nothing.
 */
export async function countArchive(env: ConsumerEnv, job: Job, before: JobProgress): Promise<Step> {
  const { catalog, scope } = await compileJob(env.DB, job, before);
  const progress = await begin(env, job, { ...before, catalog_version: scope.catalog_version });
  const prefix = archivePrefix(job.project_id);
  const { objects } = await env.ARCHIVE.list({
    prefix,
    startAfter: progress.cursor ?? startOf(job),
    // Most objects are older than the job, and a later pass goes by them.
    limit: progress.pass === 1 ? OBJECTS_PER_STEP : LIST_MAX,
  });
  if (objects.length === 0) return endPass(env, job, progress);

  return { progress: await readObjects(env, job, { progress, catalog, scope }, objects) };
}

/** Reads objects one after the other. One that fails ends the step, unless it is the first. */
async function readObjects(
  env: ConsumerEnv,
  job: Job,
  { progress, ...compiled }: CompiledJob & { readonly progress: JobProgress },
  objects: readonly R2Object[],
): Promise<JobProgress> {
  const isFirst = progress.pass === 1;
  let { cursor, objects: read, events, uncounted } = progress;
  let due = 0;
  for (const { key, uploaded } of objects) {
    const isDue = isFirst || uploaded.getTime() > job.created_at - CLOCKS_APART_MS;
    if (isDue && ++due > OBJECTS_PER_STEP) break;
    try {
      const object = isDue ? await readObject(env, job, { ...compiled, pass: progress.pass }, key) : NOTHING_READ;
      cursor = key;
      if (!isFirst) continue;
      read++;
      events += object.events;
      uncounted += object.uncounted;
    } catch (error) {
      if (cursor === progress.cursor) throw error;
      break;
    }
  }
  return { ...progress, cursor, objects: read, events, uncounted };
}

const NOTHING_READ = { events: 0, uncounted: 0 };

async function readObject(
  env: ConsumerEnv,
  job: Job,
  { catalog, scope, pass }: CompiledJob & { readonly pass: number },
  key: string,
): Promise<{ readonly events: number; readonly uncounted: number }> {
  const batches = await readArchived(env.ARCHIVE, key, { job, catalog });
  const customers = [...new Set(batches.map(({ batch }) => batch.customerId))];
  if (customers.length > 0) await addJobCustomers(env.DB, job, pass, customers);
  const { needless, uncounted } = await recountBatches(env, batches, scope);
  if (needless.length > 0) await markNeedless(env.DB, job, needless).run();
  return { events: batches.reduce((sum, { batch }) => sum + batch.size, 0), uncounted };
}

/** Before its first step a job counts what it has to read. */
async function begin(env: ConsumerEnv, job: Job, progress: JobProgress): Promise<JobProgress> {
  if (progress.pass > 1 || progress.cursor !== null) return progress;
  let objects_total = 0;
  let startAfter: string | undefined = startOf(job);
  for (let pages = 0; pages < LIST_PAGES_MAX && startAfter !== undefined; pages++) {
    const page: R2Objects = await env.ARCHIVE.list({
      prefix: archivePrefix(job.project_id),
      startAfter,
      limit: LIST_MAX,
    });
    objects_total += page.objects.length;
    startAfter = page.truncated ? page.objects.at(-1)?.key : undefined;
  }
  return { ...progress, objects_total };
}

/** An event is received a few minutes before it happened at the earliest. */
function startOf({ project_id, params }: Job): string {
  return archivePrefix(project_id) + formatDay(Math.max(params.from_day - 1, FIRST_DAY));
}

/** 2020-01-01: there is no older archive. */
const FIRST_DAY = Date.UTC(2020, 0, 1) / DAY_MS;

async function endPass(env: ConsumerEnv, job: Job, progress: JobProgress): Promise<Step> {
  const met = await countMet(env.DB, job, progress.pass);
  const isOver = met === 0 || progress.pass === PASSES_MAX;
  const next = isOver ? ({ phase: "comparing" } as const) : { pass: progress.pass + 1 };
  return { progress: { ...progress, ...next, cursor: null } };
}
