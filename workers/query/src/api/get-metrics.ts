import { createRoute } from "@hono/zod-openapi";
import { FiguresQuerySchema } from "@tidemark/contract/figures-schema";
import { FIGURES_ROWS_MAX } from "@tidemark/contract/query-limits";
import { readBacklog } from "@tidemark/db/platform-figures";
import * as z from "zod";
import type { QueryApp } from "../env.ts";
import { invalid } from "../plumbing/issues.ts";
import { requires } from "../plumbing/requires.ts";
import { failures, KEYED } from "../plumbing/routes.ts";
import { requireMetric } from "./metrics/metric.ts";
import { readEvents, readTopCustomers } from "./openmetrics/read-events.ts";
import { readQueues } from "./openmetrics/read-queues.ts";
import { type Figures, toFamilies } from "./openmetrics/to-families.ts";
import { OPENMETRICS_TYPE, writeOpenMetrics } from "./openmetrics/write-openmetrics.ts";

const route = createRoute({
  method: "get",
  path: "/metrics",
  tags: ["System"],
  summary: "Figures for Prometheus",
  description:
    "OpenMetrics 1.0: what every metric counted, what waits, and what has failed. Totals, unless customers are asked for.",
  security: KEYED,
  middleware: requires("read"),
  request: { query: FiguresQuerySchema },
  responses: {
    200: { description: "The figures.", content: { "application/openmetrics-text": { schema: z.string() } } },
    ...failures(404),
  },
});

/**
 * What is read for a request is bounded, however much there is: `readBacklog` reads `FIGURES_ROWS_MAX` rows of each
 * table, and `readEvents` and `readTopCustomers` `FIGURES_DAYS_MAX` when what they have kept is old.
 */
export function getMetrics(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const { env } = context;
    const { project_id, scopes } = context.get("principal");
    const { by, metric, top } = context.req.valid("query");
    const now = Date.now();
    const [customers, events, backlog, queues] = await Promise.all([
      by === undefined ? null : readCustomers(env.DB, metric, { project_id, now, top }),
      readEvents(env.DB, project_id, now),
      readBacklog(env.DB, project_id, FIGURES_ROWS_MAX, now),
      // They are every project's: who reads one project's figures learns nothing of the others.
      scopes.has("admin") ? readQueues(env) : [],
    ]);
    const text = writeOpenMetrics(toFamilies({ now, customers, events, backlog, queues }));
    return new Response(text, { headers: { "content-type": OPENMETRICS_TYPE } });
  });
}

async function readCustomers(
  db: D1Database,
  slug: string | undefined,
  question: Parameters<typeof readTopCustomers>[2],
): Promise<Figures["customers"]> {
  if (slug === undefined)
    throw invalid([{ pointer: "/metric", code: "missing", detail: "Is required with `by=customer`." }]);
  const metric = await requireMetric(db, question.project_id, slug);
  return { metric: metric.slug, top: await readTopCustomers(db, metric, question) };
}
