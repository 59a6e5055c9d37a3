import { type ConsumerEnv, queue, scheduled } from "@tidemark/consumer";
import { app as ingest, type IngestEnv } from "@tidemark/ingest";
import { app as query, type QueryEnv } from "@tidemark/query";

export { CustomerMeter } from "@tidemark/consumer";

export type Env = IngestEnv & ConsumerEnv & QueryEnv;

/** Paths that the ingest Worker answers; everything else is the query Worker's. */
const INGEST = /^\/v1\/events$/;

/** The whole platform as one Worker. */
export default {
  fetch(request, env, context) {
    const { pathname } = new URL(request.url);
    return INGEST.test(pathname) ? ingest.fetch(request, env, context) : query.fetch(request, env, context);
  },
  queue,
  scheduled,
} satisfies ExportedHandler<Env, string>;
