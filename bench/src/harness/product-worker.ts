// oxlint-disable no-restricted-imports -- The product as it is measured: ingest and consumer in one Worker, as standalone mounts them, without the query Worker.
import { type ConsumerEnv, queue, scheduled } from "@tidemark/consumer";
import { fetch as ingest, type IngestEnv } from "@tidemark/ingest";
import { putAllowances } from "./allowances.ts";
import { noteProgress } from "./queue-progress.ts";
import { readState } from "./read-state.ts";

export { CustomerMeter } from "@tidemark/consumer";

/** The counting and deciding path, whole: ingest, consumer and meters. Beside it what sets allowances and what only reads. */
export default {
  async fetch(request, env, context) {
    if (request.method === "POST") return ingest(request, env, context);
    return request.method === "PUT"
      ? putAllowances(request.url, env)
      : Response.json(await readState(request.url, env));
  },
  queue: (batch, env) =>
    batch.queue === "tidemark-events" ? noteProgress(batch, () => queue(batch, env)) : queue(batch, env),
  scheduled,
} satisfies ExportedHandler<IngestEnv & ConsumerEnv, string>;
