// oxlint-disable no-restricted-imports -- The product as it is measured, with its database watched.
import { app, type QueryEnv } from "@tidemark/query";
import { countedDatabase } from "../counting/counted-database.ts";
import { takeCounts } from "../counting/counts.ts";

/** The query Worker, with the rows counted that it reads. Beside it what tells them, and what forgets the answers that are kept. */
export default {
  async fetch(request, env, context) {
    const { pathname } = new URL(request.url);
    if (pathname === "/counts") return Response.json(takeCounts());
    if (pathname === "/forget") {
      await env.DB.prepare("DELETE FROM snapshots").run();
      return new Response(null, { status: 204 });
    }
    return app.fetch(request, { ...env, DB: countedDatabase(env.DB) }, context);
  },
} satisfies ExportedHandler<QueryEnv>;
