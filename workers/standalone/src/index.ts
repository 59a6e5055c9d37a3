import { type ConsumerEnv, queue, scheduled } from "@tidemark/consumer";
import { fetch as ingest, type IngestEnv, isIngest } from "@tidemark/ingest";
import { app as query, type QueryEnv } from "@tidemark/query";

export { CustomerMeter } from "@tidemark/consumer";

export type Env = IngestEnv & ConsumerEnv & QueryEnv;

/** The whole platform as one Worker. */
export default {
  fetch: (request, env, context) =>
    isIngest(request) ? ingest(request, env, context) : query.fetch(request, env, context),
  queue,
  scheduled,
} satisfies ExportedHandler<Env, string>;
