import { FIRST_STEP, type JobKind, type JobParams } from "@tidemark/contract";
import { type BackfilledSpan, findActiveJob, insertJob, type Job } from "@tidemark/db/jobs";
import { Problem } from "@tidemark/http/problem";
import type { QueryEnv } from "../../env.ts";
import { newId } from "../../plumbing/new-id.ts";

/** What to begin. */
export interface NewJob {
  readonly project_id: string;
  readonly kind: JobKind;
  readonly params: JobParams;
  /** Of a backfill. */
  readonly span: BackfilledSpan | null;
}

/**
 * Stores a job and hands it to the consumer. Asked again for the one that is under way, that is the answer.
 *
 * @throws Problem conflict while the project has another one under way.
 */
export async function beginJob(env: QueryEnv, { project_id, kind, params, span }: NewJob, now: number): Promise<Job> {
  const job: Job = {
    project_id,
    id: newId("job"),
    kind,
    state: "waiting",
    params,
    progress: FIRST_STEP,
    created_at: now,
    updated_at: now,
    finished_at: null,
  };
  if (!(await insertJob(env.DB, job, span))) return sameOrConflict(await findActiveJob(env.DB, project_id), job);
  await announceJob(env, job);
  return job;
}

/** Hands a job that is stored to the consumer. */
export async function announceJob(
  { JOBS }: Pick<QueryEnv, "JOBS">,
  { project_id, id }: Pick<Job, "project_id" | "id">,
): Promise<void> {
  try {
    await JOBS.send(JSON.stringify({ project_id, job_id: id }), { contentType: "text" });
  } catch (error) {
    // The cron trigger finds it within minutes.
    console.warn(JSON.stringify({ at: "begin-job", error: String(error) }));
  }
}

function sameOrConflict(active: Job | undefined, wanted: Job): Job {
  if (active === undefined) throw new Problem("conflict", "Another job has just ended; send again.");
  if (active.kind === wanted.kind && JSON.stringify(active.params) === JSON.stringify(wanted.params)) return active;
  throw new Problem(
    "conflict",
    `The project has a job under way, a ${active.kind} (${active.id}); GET /v1/jobs/${active.id} tells when it is done.`,
  );
}
