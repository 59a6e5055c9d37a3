import { consumeDeadLetters } from "./consume-dead-letters.ts";
import { consumeEvents } from "./consume-events.ts";
import { consumeRollups } from "./consume-rollups.ts";
import type { ConsumerEnv } from "./env.ts";
import { sweep } from "./sweep.ts";

export { CustomerMeter } from "./customer-meter/customer-meter.ts";
export type { ConsumerEnv } from "./env.ts";

/** Queues in, by name: events to meters, rollups to D1, dead letters to quarantine. */
export async function queue(batch: MessageBatch<string>, env: ConsumerEnv): Promise<void> {
  switch (batch.queue) {
    case "tidemark-events":
      return consumeEvents(batch, env);
    case "tidemark-rollups":
      return consumeRollups(batch, env);
    case "tidemark-dead-letters":
      return consumeDeadLetters(batch, env);
    default:
      throw new Error(`No consumer for the queue ${batch.queue}.`);
  }
}

export async function scheduled(_controller: ScheduledController, env: ConsumerEnv): Promise<void> {
  await sweep(env, Date.now());
}

export default { queue, scheduled };
