// oxlint-disable no-restricted-imports -- The product as it is measured: ingest and consumer in one Worker, as standalone mounts them, without the query Worker.
import { type ConsumerEnv, queue, scheduled } from "@tidemark/consumer";
import { fetch as ingest, type IngestEnv } from "@tidemark/ingest";
import { noteProgress } from "./queue-progress.ts";
import { readState } from "./read-state.ts";

export { CustomerMeter } from "@tidemark/consumer";

/** The counting path, whole: ingest, consumer and meters. Beside it what only reads. */
export default {
  async fetch(request, env, context) {
    return request.method === "POST" ? ingest(request, env, context) : Response.json(await readState(request.url, env));
  },
  queue: (batch, env) =>
    batch.queue === "tidemark-events" ? noteProgress(batch, () => queue(batch, env)) : queue(batch, env),
  scheduled,
} satisfies ExportedHandler<IngestEnv & ConsumerEnv, string>;
