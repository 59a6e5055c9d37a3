// oxlint-disable no-restricted-imports -- The product as it is measured, with its bindings watched.
import { type ConsumerEnv, queue, scheduled } from "@tidemark/consumer";
import { fetch as ingest, type IngestEnv } from "@tidemark/ingest";
import { countedBindings, operationsOf } from "../counting/counted-bindings.ts";
import { counts, takeCounts } from "../counting/counts.ts";
import { putAllowances } from "../harness/allowances.ts";
import { noteProgress } from "../harness/queue-progress.ts";
import { readState } from "../harness/read-state.ts";

export { CustomerMeter } from "../counting/counted-meter.ts";

/** One message in so many is delivered again after it was acknowledged, as a queue may. */
const REDELIVERED_EVERY = 1_000;
let delivered = REDELIVERED_EVERY / 2;

/** The counting and deciding path with every billed operation counted. */
export default {
  async fetch(request, env, context) {
    if (request.method === "POST") {
      counts.requests++;
      return ingest(request, countedBindings(env), context);
    }
    if (request.method === "PUT") return putAllowances(request.url, env);
    return Response.json(request.url.endsWith("/counts") ? takeCounts() : await readState(request.url, env));
  },

  async queue(batch, env) {
    if (batch.queue !== "tidemark-events") {
      counts.rollupBatches++;
      for (const { body } of batch.messages) counts.rollupOperations += 2 * operationsOf(body);
      return queue(batch, countedBindings(env));
    }
    counts.eventBatches++;
    const messages = batch.messages.map(countedMessage);
    const { queue: name, metadata } = batch;
    const counted = { queue: name, messages, metadata, ackAll: () => batch.ackAll(), retryAll: () => batch.retryAll() };
    return noteProgress(batch, () => queue(counted, countedBindings(env)));
  },

  scheduled: (controller, env) => scheduled(controller, countedBindings(env)),
} satisfies ExportedHandler<IngestEnv & ConsumerEnv, string>;

function countedMessage(message: Message<string>): Message<string> {
  const { id, timestamp, body, attempts } = message;
  const operations = operationsOf(body);
  counts.eventOperations += operations;
  const comesAgain = attempts === 1 && ++delivered % REDELIVERED_EVERY === 0;
  const ack = (): void => {
    if (comesAgain) {
      counts.redelivered++;
      message.retry();
      return;
    }
    counts.eventOperations += operations;
    message.ack();
  };
  return { id, timestamp, body, attempts, ack, retry: (options) => message.retry(options) };
}
