import { insertQuarantine } from "@tidemark/db/quarantine-entries";
import type { ConsumerEnv } from "./env.ts";
import { retryDelay } from "./retry-delay.ts";

/** Keeps what a queue gave up on where a person can see it and put it back. */
export async function consumeDeadLetters(batch: MessageBatch<string>, env: ConsumerEnv): Promise<void> {
  for (const message of batch.messages) {
    try {
      const body = typeof message.body === "string" ? message.body : JSON.stringify(message.body);
      await insertQuarantine(env.DB, projectOf(body), {
        id: message.id,
        reason: "dead_letter",
        detail: "The message failed on every attempt and was taken off its queue. Replay it when the cause is gone.",
        customer_id: null,
        at: message.timestamp.getTime(),
        body,
      }).run();
      message.ack();
    } catch (error) {
      console.error(JSON.stringify({ at: "consume-dead-letters", error: String(error) }));
      message.retry(retryDelay(message.attempts));
    }
  }
}

/** The project a letter belongs to; the empty one for what names none, which only the operator sees. */
function projectOf(body: string): string {
  try {
    const { project_id } = JSON.parse(body) as { project_id?: unknown };
    return typeof project_id === "string" ? project_id : "";
  } catch {
    return "";
  }
}
