import { createRoute } from "@hono/zod-openapi";
import { METRICS_MAX } from "@tidemark/contract";
import { pageOf } from "@tidemark/contract/answer-schema";
import { type RejectedEvents, RejectedEventsSchema, RejectedQuerySchema } from "@tidemark/contract/event-list-schema";
import type { MetricDefinition } from "@tidemark/contract/metric-schema";
import type { RejectionCode } from "@tidemark/core";
import { DAY_MS, dayOf } from "@tidemark/core/timestamp";
import { listMetrics } from "@tidemark/db/metrics";
import { listRejections, type RejectionRow } from "@tidemark/db/rejections";
import type { QueryApp } from "../../env.ts";
import { readCursor, toPage } from "../../plumbing/cursor.ts";
import { toInstantText } from "../../plumbing/instant.ts";
import { invalid } from "../../plumbing/issues.ts";
import { requires } from "../../plumbing/requires.ts";
import { failures, json, KEYED } from "../../plumbing/routes.ts";
import { requireMetric, toMetric } from "../metrics/metric.ts";
import { type Counter, readEventCounters } from "../usage/counters.ts";
import { explainRejection } from "./explain-rejection.ts";

const LIST = "rejected";

const route = createRoute({
  method: "get",
  path: "/v1/events/rejected",
  tags: ["Events"],
  summary: "List events that a metric could not count",
  description:
    "They matched a metric and had no usable value for it; other metrics counted them. By day and reason, the newest " +
    "day first, as the meters have sent them. What could be counted by no metric is in quarantine.",
  security: KEYED,
  middleware: requires("read"),
  request: { query: RejectedQuerySchema },
  responses: { 200: json(pageOf(RejectedEventsSchema), "A page of rejected events."), ...failures(404) },
});

export function listRejected(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const { metric: slug, customer_id = null, days, limit, cursor } = context.req.valid("query");
    const after = readAfter(cursor);
    const { project_id } = context.get("principal");
    const { DB } = context.env;
    const metrics = await chooseMetrics(DB, project_id, slug, customer_id);
    const counters = await readEventCounters(DB, project_id, metrics);
    const placed = placeCounters(metrics, counters);
    const today = dayOf(Date.now());
    const rows = await listRejections(DB, {
      project_id,
      days: [...placed.values()].flatMap(({ counter }) => daysOf(counter, today - days + 1, today)),
      customer_id,
      after,
      limit: limit + 1,
    });
    const page = toPage(rows, limit, LIST, (row) => [row.day, row.metric_id, row.customer_id, row.code]);
    return context.json(
      { data: page.rows.flatMap((row) => toRejected(row, placed)), next_cursor: page.next_cursor },
      200,
    );
  });
}

async function chooseMetrics(
  db: D1Database,
  projectId: string,
  slug: string | undefined,
  customerId: string | null,
): Promise<readonly MetricDefinition[]> {
  if (slug !== undefined) return [await requireMetric(db, projectId, slug)];
  const detail = "Is required without `customer_id`: name a metric, a customer, or both.";
  if (customerId === null) throw invalid([{ pointer: "/metric", code: "missing", detail }]);
  const rows = await listMetrics(db, projectId, { after: undefined, limit: METRICS_MAX });
  return rows.map(toMetric);
}

type Placed = ReadonlyMap<string, { readonly metric: MetricDefinition; readonly counter: Counter }>;

function placeCounters(
  metrics: readonly MetricDefinition[],
  counters: ReadonlyMap<string, readonly Counter[]>,
): Placed {
  return new Map(
    metrics.flatMap((metric) =>
      (counters.get(metric.id) ?? []).map((counter) => [counter.counter_id, { metric, counter }] as const),
    ),
  );
}

function daysOf(counter: Counter, from: number, to: number): (readonly [string, number])[] {
  const first = Math.max(from, counter.first);
  const length = Math.max(Math.min(to, counter.last) - first + 1, 0);
  return Array.from({ length }, (_, index) => [counter.counter_id, first + index]);
}

function toRejected(row: RejectionRow, placed: Placed): RejectedEvents[] {
  const place = placed.get(row.metric_id);
  if (place === undefined) return [];
  const { metric, counter } = place;
  return [
    {
      metric: metric.slug,
      customer_id: row.customer_id,
      day: new Date(row.day * DAY_MS).toISOString().slice(0, 10),
      code: row.code,
      reason: explainRejection(row.code, counter.property ?? "", metric.decimal_places),
      events: row.events,
      example: { id: row.example.id, at: toInstantText(row.example.at), found: row.example.found },
    },
  ];
}

function readAfter(cursor: string | undefined) {
  const key = readCursor(cursor, LIST, ["number", "string", "string", "string"]);
  if (key === undefined) return undefined;
  const [day, metricId, customerId, code] = key;
  return {
    day: Number(day),
    metric_id: String(metricId),
    customer_id: String(customerId),
    code: String(code) as RejectionCode,
  };
}
