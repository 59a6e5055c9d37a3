import type { JobMessage, JobProgress } from "@tidemark/contract";
import { finishJob, type Job, leaseJob, saveProgress } from "@tidemark/db/jobs";
import type { ConsumerEnv } from "../env.ts";
import { closeBooks } from "./close-books.ts";
import { compareMeters } from "./compare-meters.ts";
import { countArchive } from "./count-archive.ts";

/** How long a runner works before it hands on, and how long nobody else takes its job. */
const SLICE_MS = 10_000;
const LEASE_MS = 60_000;
/** Attempts in a row after which a job has failed. */
const FAILURES_MAX = 20;

/** What became of a slice of a job. */
export type Ran = "more" | "over" | "later";

/**
 * Works on a job for a while. What it does is kept after each step, so that it goes on from there after
 * any interruption; doing a step again changes nothing.
 */
export async function runJob(env: ConsumerEnv, message: JobMessage): Promise<Ran> {
  const start = Date.now();
  const job = await leaseJob(env.DB, message, start, start + LEASE_MS);
  if (job === undefined) return "over";
  let { progress } = job;
  try {
    while (Date.now() < start + SLICE_MS) {
      const next = await step(env, job, progress);
      if (next === null) {
        await finishJob(env.DB, job, { state: "done", progress }, Date.now());
        return "over";
      }
      progress = { ...next.progress, failures: 0, error: null };
      await save(env, job, progress, LEASE_MS, next.writes);
    }
    await save(env, job, progress, 0);
    return "more";
  } catch (error) {
    return fail(env, job, progress, error);
  }
}

/** Where a job is after a step, and what is written together with that. */
export interface Step {
  readonly progress: JobProgress;
  readonly writes?: readonly D1PreparedStatement[];
}

/** @returns `null` when the job is done. */
function step(env: ConsumerEnv, job: Job, progress: JobProgress): Promise<Step | null> {
  switch (progress.phase) {
    case "counting":
      return countArchive(env, job, progress);
    case "comparing":
      return compareMeters(env, job, progress);
    case "closing":
      return closeBooks(env, job, progress);
  }
}

async function save(
  env: ConsumerEnv,
  job: Job,
  progress: JobProgress,
  leaseMs: number,
  writes: readonly D1PreparedStatement[] = [],
): Promise<void> {
  const now = Date.now();
  const leasedUntil = leaseMs === 0 ? 0 : now + leaseMs;
  await env.DB.batch([...writes, saveProgress(env.DB, job, progress, { now, leasedUntil })]);
}

async function fail(env: ConsumerEnv, job: Job, reached: JobProgress, error: unknown): Promise<Ran> {
  console.error(JSON.stringify({ at: "run-job", project_id: job.project_id, job_id: job.id, error: String(error) }));
  const progress = { ...reached, failures: reached.failures + 1, error: String(error) };
  if (progress.failures >= FAILURES_MAX) {
    await finishJob(env.DB, job, { state: "failed", progress }, Date.now());
    return "over";
  }
  await save(env, job, progress, 0);
  return "later";
}
