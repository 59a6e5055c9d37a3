import type { JobMessage, JobProgress } from "@tidemark/contract";
import { finishJob, type Job, leaseJob, saveProgress } from "@tidemark/db/jobs";
import type { ConsumerEnv } from "../env.ts";
import { closeBooks } from "./close-books.ts";
import { compareMeters } from "./compare-meters.ts";
import { countArchive } from "./count-archive.ts";
import { queryArchive } from "./query-archive.ts";

/** How long a runner works before it hands on, and how long nobody else takes its job. */
const SLICE_MS = 10_000;
const LEASE_MS = 60_000;
/** Attempts in a row after which a job has failed. */
const FAILURES_MAX = 20;

/** What became of a slice of a job. */
export type Ran = "more" | "over" | "later";

/** Where a job is after a step, and what is written together with that. */
export interface Step {
  readonly progress: JobProgress;
  readonly writes?: readonly D1PreparedStatement[];
}

/**
 * Works on a job for a while. What it does is kept after each step, so that it goes on from there after
 * any interruption; doing a step again changes nothing.
 */
export async function runJob(env: ConsumerEnv, message: JobMessage): Promise<Ran> {
  const start = Date.now();
  const job = await leaseJob(env.DB, message, start, start + LEASE_MS);
  if (job === undefined) return "over";
  return new Runner(env, job, start + LEASE_MS).run(start + SLICE_MS);
}

/** One runner's slice of a job, while it holds the lease. */
class Runner {
  readonly #env: ConsumerEnv;
  readonly #job: Job;
  #lease: number;
  #progress: JobProgress;

  constructor(env: ConsumerEnv, job: Job, lease: number) {
    this.#env = env;
    this.#job = job;
    this.#lease = lease;
    this.#progress = job.progress;
  }

  async run(until: number): Promise<Ran> {
    try {
      while (Date.now() < until) {
        const next = await this.#step();
        if (next === null) return await this.#finish();
        this.#progress = { ...next.progress, failures: 0 };
        if (!(await this.#save(LEASE_MS, next.writes))) return "over";
      }
      return (await this.#save(0)) ? "more" : "over";
    } catch (error) {
      return this.#fail(error);
    }
  }

  /** @returns `null` when the job is done. */
  #step(): Promise<Step | null> {
    if (this.#job.params.query !== undefined)
      return queryArchive(this.#env, this.#job, this.#job.params.query, this.#progress);
    switch (this.#progress.phase) {
      case "counting":
        return countArchive(this.#env, this.#job, this.#progress);
      case "comparing":
        return compareMeters(this.#env, this.#job, this.#progress);
      case "closing":
        return closeBooks(this.#env, this.#job, this.#progress);
    }
  }

  /** @returns false when another runner has the job. */
  async #save(leaseMs: number, writes: readonly D1PreparedStatement[] = []): Promise<boolean> {
    const now = Date.now();
    const times = { now, lease: this.#lease, leasedUntil: leaseMs === 0 ? 0 : now + leaseMs };
    const isMine = await saveProgress(this.#env.DB, this.#job, this.#progress, times, writes);
    this.#lease = times.leasedUntil;
    return isMine;
  }

  async #finish(): Promise<Ran> {
    const { is_abandoned, error } = this.#progress;
    const outcome = is_abandoned
      ? ({ state: "failed", progress: this.#progress } as const)
      : ({ state: "done", progress: { ...this.#progress, error: null } } as const);
    if (is_abandoned) console.error(JSON.stringify({ at: "run-job", job_id: this.#job.id, failed: error }));
    await finishJob(this.#env.DB, this.#job, outcome, { now: Date.now(), lease: this.#lease });
    return "over";
  }

  /** Tries again later; a job that failed too often closes the books that it opened, and ends. */
  async #fail(error: unknown): Promise<Ran> {
    const { project_id, id: job_id } = this.#job;
    console.error(JSON.stringify({ at: "run-job", project_id, job_id, error: String(error) }));
    const { is_abandoned, failures } = this.#progress;
    this.#progress = { ...this.#progress, failures: failures + 1, error: String(error) };
    if (failures + 1 >= FAILURES_MAX) {
      if (is_abandoned) return this.#finish();
      this.#progress = { ...this.#progress, phase: "closing", cursor: null, failures: 0, is_abandoned: true };
    }
    return (await this.#save(0)) ? "later" : "over";
  }
}
