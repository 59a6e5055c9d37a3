import type { NotificationMessage } from "@tidemark/contract";
import type { ConsumerEnv } from "../env.ts";
import { retryDelay } from "../retry-delay.ts";
import { announceNotices } from "./announce-notices.ts";
import { deliver } from "./deliver.ts";

/** Lanes worked on at a time: a Worker has six connections, and one that waits for a seventh is on a receiver's time. */
const LANES_MAX = 6;

/**
 * Delivers notices. What one batch has for a destination goes one after another, in order; between batches, and after
 * a failure, there is no order. A receiver that takes its time holds up a lane of its batch alone, and one that does
 * not answer is left alone. Only what fails on our side is retried by the queue: an attempt that fails is noted, and its
 * successor is a message of its own.
 */
export async function consumeNotifications(batch: MessageBatch<string>, env: ConsumerEnv): Promise<void> {
  const lanes = Map.groupBy(batch.messages, laneOf).values();
  const workThrough = async (): Promise<void> => {
    for (const messages of lanes) await consumeLane(messages, env);
  };
  await Promise.all(Array.from({ length: LANES_MAX }, workThrough));
}

async function consumeLane(messages: readonly Message<string>[], env: ConsumerEnv): Promise<void> {
  for (const message of messages) {
    try {
      const body = JSON.parse(message.body) as NotificationMessage;
      if (body.kind === "notify") await announceNotices(env, body, Date.now());
      else await deliver(env, body);
      message.ack();
    } catch (error) {
      console.error(JSON.stringify({ at: "consume-notifications", error: String(error) }));
      message.retry(retryDelay(message.attempts));
    }
  }
}

/** What stays in order: a project's notices, and a destination's deliveries. */
function laneOf({ body }: Message<string>): string {
  try {
    const message = JSON.parse(body) as NotificationMessage;
    return JSON.stringify([message.project_id, message.kind === "deliver" ? message.destination_id : null]);
  } catch {
    return "unreadable";
  }
}
