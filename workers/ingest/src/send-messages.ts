import { SEND_BATCH_BYTES_MAX, SEND_BATCH_MESSAGES_MAX } from "@tidemark/contract";
import { Problem } from "@tidemark/http/problem";

const TEXT = { contentType: "text" } as const;

/**
 * Hands messages to the queue. When a later part of a large request is not taken, the whole request is
 * answered 503: sending it again is safe, because what was taken before is counted once.
 *
 * @throws Problem unavailable.
 */
export async function sendMessages(queue: Queue<string>, messages: readonly string[]): Promise<void> {
  try {
    if (messages.length === 1 && messages[0] !== undefined) await queue.send(messages[0], TEXT);
    else for (const batch of inBatches(messages)) await queue.sendBatch(batch.map((body) => ({ body, ...TEXT })));
  } catch (error) {
    console.error(JSON.stringify({ at: "send-messages", messages: messages.length, error: String(error) }));
    throw new Problem("unavailable", "The queue did not take the events.", { headers: { "retry-after": "2" } });
  }
}

/** Splits by the platform's limits; a message's length in code units times three bounds its bytes. */
function* inBatches(messages: readonly string[]): Generator<readonly string[]> {
  let batch: string[] = [];
  let bytes = 0;
  for (const message of messages) {
    const size = Math.min(message.length * 3, 64_000);
    if (batch.length > 0 && (batch.length === SEND_BATCH_MESSAGES_MAX || bytes + size > SEND_BATCH_BYTES_MAX)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(message);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}
