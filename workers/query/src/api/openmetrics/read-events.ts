import { MEMORY_DAYS, METRICS_MAX } from "@tidemark/contract";
import type { MetricDefinition } from "@tidemark/contract/metric-schema";
import { dayOf } from "@tidemark/core/timestamp";
import { listMetrics } from "@tidemark/db/metrics";
import {
  countCustomers,
  countCustomersEvents,
  type CountedEvents,
  countEvents,
  type Figure,
} from "@tidemark/db/platform-figures";
import type { CounterDays } from "@tidemark/db/project-usage";
import { findSnapshot, keepSnapshot } from "@tidemark/db/snapshots";
import { sha256 } from "@tidemark/http/digest";
import { snapshot } from "../../snapshot.ts";
import { toMetric } from "../metrics/metric.ts";
import { type Counter, readCounters } from "../usage/counters.ts";

/** Events of one metric. */
export interface MetricEvents {
  readonly metric: string;
  readonly events: number;
  readonly rejected: number;
}

/** What was counted, and of how many customers. */
export interface Events {
  readonly today: readonly MetricEvents[];
  /** Of the days before today on which usage can still change. */
  readonly before: readonly MetricEvents[];
  readonly customers: number;
}

const HOUR_MS = 3_600_000;

/**
 * What every metric counted, by UTC days. Today's is read when usage has changed, a row for each customer and
 * metric, and no more often than any other report; the days before and the number of customers, forty times as
 * much and nearly always the same, once an hour.
 */
export async function readEvents(db: D1Database, projectId: string, now: number): Promise<Events> {
  const day = dayOf(now);
  const metrics = (await listMetrics(db, projectId, { after: undefined, limit: METRICS_MAX })).map(toMetric);
  const countersOf = await readCounters(db, projectId, metrics);
  const count = async (first: number, last: number): Promise<readonly CountedEvents[]> =>
    countEvents(db, projectId, clip([...countersOf.values()].flat(), first, last));
  const [today, past] = await Promise.all([
    snapshot(db, projectId, ["figures-today", day], async () => count(day, day)),
    hourly(db, projectId, ["figures-before", Math.floor(now / HOUR_MS)], now, async () => ({
      before: await count(day - MEMORY_DAYS, day - 1),
      customers: await countCustomers(db, projectId),
    })),
  ]);
  const byMetric = (counted: readonly CountedEvents[]): readonly MetricEvents[] => {
    const byCounter = new Map(counted.map((row) => [row.counter_id, row]));
    return metrics.map((metric) => addUp(metric, countersOf.get(metric.id) ?? [], byCounter));
  };
  return { today: byMetric(today), before: byMetric(past.before), customers: past.customers };
}

/** The customers with most of a metric's events today. */
export async function readTopCustomers(
  db: D1Database,
  metric: MetricDefinition,
  { project_id, now, top }: { readonly project_id: string; readonly now: number; readonly top: number },
): Promise<readonly Figure[]> {
  const day = dayOf(now);
  return snapshot(db, project_id, ["figures-customers", metric.id, day, top], async () => {
    const countersOf = await readCounters(db, project_id, [metric]);
    return countCustomersEvents(db, project_id, clip(countersOf.get(metric.id) ?? [], day, day), top);
  });
}

/** Counters on those of some days that they are read for. */
function clip(counters: readonly Counter[], first: number, last: number): readonly CounterDays[] {
  return counters
    .map(({ counter_id, ...range }) => ({
      counter_id,
      first: Math.max(first, range.first),
      last: Math.min(last, range.last),
    }))
    .filter((days) => days.first <= days.last);
}

function addUp(
  { slug }: MetricDefinition,
  counters: readonly Counter[],
  counted: ReadonlyMap<string, CountedEvents>,
): MetricEvents {
  const rows = counters.flatMap(({ counter_id }) => counted.get(counter_id) ?? []);
  return {
    metric: slug,
    events: rows.reduce((sum, { events }) => sum + events, 0),
    rejected: rows.reduce((sum, { rejected }) => sum + rejected, 0),
  };
}

/** An answer that is made once for a question; the question names the hour. */
async function hourly<Answer>(
  db: D1Database,
  projectId: string,
  question: readonly unknown[],
  now: number,
  make: () => Promise<Answer>,
): Promise<Answer> {
  const key = await sha256(JSON.stringify(question));
  const { mark, kept } = await findSnapshot(db, projectId, key);
  if (kept !== undefined) return JSON.parse(kept.body) as Answer;
  const answer = await make();
  await keepSnapshot(db, projectId, key, {
    mark,
    made_at: now,
    took_ms: Date.now() - now,
    body: JSON.stringify(answer),
  });
  return answer;
}
