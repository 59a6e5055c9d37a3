import { type ConsumerEnv, queue, scheduled as tidy } from "@tidemark/consumer";
import { fetch as ingest, type IngestEnv, isIngest } from "@tidemark/ingest";
import { app as query, type QueryEnv, scheduled as tell } from "@tidemark/query";

export { CustomerMeter } from "@tidemark/consumer";

export type Env = IngestEnv & ConsumerEnv & QueryEnv;

/** The whole platform as one Worker. */
export default {
  fetch: (request, env, context) =>
    isIngest(request) ? ingest(request, env, context) : query.fetch(request, env, context),
  queue,
  scheduled: async (controller, env, context) => {
    // Neither has to wait for the other, or fails with it.
    context.waitUntil(tell(controller, env));
    await tidy(controller, env);
  },
} satisfies ExportedHandler<Env, string>;
