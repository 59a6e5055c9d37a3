import { listStalledJobs } from "@tidemark/db/jobs";
import type { ConsumerEnv } from "../env.ts";

/** Jobs woken in one run. */
const JOBS_MAX = 100;

/** Sends on jobs that nobody works on: their message was lost, or their runner died. */
export async function wakeJobs(env: ConsumerEnv, now: number): Promise<void> {
  for (const job of await listStalledJobs(env.DB, now, JOBS_MAX))
    await env.JOBS.send(JSON.stringify(job), { contentType: "text" });
}
