import type { JobMessage } from "@tidemark/contract";
import type { ConsumerEnv } from "../env.ts";
import { runJob } from "./run-job.ts";

/** A job that failed is tried again after this time. */
const RETRY_SECONDS = 10;

/** Works on jobs, a slice each; a job with more to do goes to the end of the queue. */
export async function consumeJobs(batch: MessageBatch<string>, env: ConsumerEnv): Promise<void> {
  for (const message of batch.messages) {
    const job = JSON.parse(message.body) as JobMessage;
    const ran = await runJob(env, job);
    if (ran === "more") await env.JOBS.send(message.body, { contentType: "text" });
    if (ran === "later") message.retry({ delaySeconds: RETRY_SECONDS });
    else message.ack();
  }
}
