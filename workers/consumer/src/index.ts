import { IDEMPOTENT_ANSWER_MS, SNAPSHOT_KEPT_MS } from "@tidemark/contract/query-limits";
import { deleteOldAnswers } from "@tidemark/db/idempotency";
import { deleteOldSnapshots } from "@tidemark/db/snapshots";
import { consumeDeadLetters } from "./consume-dead-letters.ts";
import { consumeEvents } from "./consume-events.ts";
import { consumeRollups } from "./consume-rollups.ts";
import type { ConsumerEnv } from "./env.ts";
import { consumeJobs } from "./jobs/consume-jobs.ts";
import { wakeJobs } from "./jobs/wake-jobs.ts";
import { consumeNotifications } from "./notify/consume-notifications.ts";
import { forgetNotices } from "./notify/forget-notices.ts";
import { wakeDeliveries } from "./notify/wake-deliveries.ts";
import { sweep } from "./sweep.ts";

export { CustomerMeter } from "./customer-meter/customer-meter.ts";
export type { ConsumerEnv } from "./env.ts";

/** Queues in, by name: events to meters, rollups to D1, notices to who wants them, dead letters to quarantine, jobs to their next slice. */
export async function queue(batch: MessageBatch<string>, env: ConsumerEnv): Promise<void> {
  switch (batch.queue) {
    case "tidemark-events":
      return consumeEvents(batch, env);
    case "tidemark-rollups":
      return consumeRollups(batch, env);
    case "tidemark-dead-letters":
      return consumeDeadLetters(batch, env);
    case "tidemark-jobs":
      return consumeJobs(batch, env);
    case "tidemark-notifications":
      return consumeNotifications(batch, env);
    default:
      throw new Error(`No consumer for the queue ${batch.queue}.`);
  }
}

/** Answers forgotten in one run. */
const OLD_ANSWERS_MAX = 5_000;
const OLD_SNAPSHOTS_MAX = 500;

/** Every five minutes: wakes meters whose alarm died, jobs whose runner did and deliveries whose message is lost, and forgets what nobody will ask for again. */
export async function scheduled(_controller: ScheduledController, env: ConsumerEnv): Promise<void> {
  const now = Date.now();
  await sweep(env, now);
  await wakeJobs(env, now);
  await wakeDeliveries(env, now);
  await forgetNotices(env, now);
  await deleteOldAnswers(env.DB, now - IDEMPOTENT_ANSWER_MS, OLD_ANSWERS_MAX);
  await deleteOldSnapshots(env.DB, now - SNAPSHOT_KEPT_MS, OLD_SNAPSHOTS_MAX);
}

export default { queue, scheduled };
