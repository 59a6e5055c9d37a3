import { MEMORY_DAYS, METRICS_MAX } from "@tidemark/contract";
import type { MetricDefinition } from "@tidemark/contract/metric-schema";
import { FIGURES_BEFORE_MS, FIGURES_DAYS_MAX } from "@tidemark/contract/query-limits";
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
import { keptFor } from "../../snapshot.ts";
import { snapshot } from "../../snapshot.ts";
import { toMetric } from "../metrics/metric.ts";
import { type Counter, readCounters } from "../usage/counters.ts";

/** Events of one metric. */
export interface MetricEvents {
  readonly metric: string;
  readonly events: number;
  readonly rejected: number;
}

/** What every metric counted on some days. */
export interface DaysEvents {
  readonly metrics: readonly MetricEvents[];
  /** Otherwise there were too many rows, and the figures are the least that they can be. */
  readonly isComplete: boolean;
}

/** What was counted, and of how many customers. */
export interface Events {
  readonly today: DaysEvents;
  /** Of the days before today on which usage can still change. */
  readonly before: DaysEvents | null;
  /** `null`, as `before`: it could not be counted, and is not tried again within the hour. */
  readonly customers: number | null;
}

/**
 * What every metric counted, by UTC days. Today's is read when usage has changed, a row for each customer and
 * metric, and no more often than any other report; the days before and the number of customers, forty times as
 * much and nearly always the same, once an hour. Neither reads more than `FIGURES_DAYS_MAX` rows.
 */
export async function readEvents(db: D1Database, projectId: string, now: number): Promise<Events> {
  const day = dayOf(now);
  const metrics = (await listMetrics(db, projectId, { after: undefined, limit: METRICS_MAX })).map(toMetric);
  const countersOf = await readCounters(db, projectId, metrics);
  const count = async (first: number, last: number): Promise<Counted> =>
    countEvents(db, projectId, clip([...countersOf.values()].flat(), first, last), FIGURES_DAYS_MAX);
  const asked = { question: ["events-before"], keptMs: FIGURES_BEFORE_MS };
  const [today, past] = await Promise.all([
    snapshot(db, projectId, ["events-today", day], async () => count(day, day)),
    keptFor(db, projectId, asked, async () =>
      orNothing(async () => ({
        before: await count(day - MEMORY_DAYS, day - 1),
        customers: await countCustomers(db, projectId, FIGURES_DAYS_MAX),
      })),
    ),
  ]);
  const byMetric = ({ counted, is_complete }: Counted): DaysEvents => {
    const byCounter = new Map(counted.map((row) => [row.counter_id, row]));
    const add = (metric: MetricDefinition): MetricEvents => addUp(metric, countersOf.get(metric.id) ?? [], byCounter);
    return { metrics: metrics.map(add), isComplete: is_complete };
  };
  return {
    today: byMetric(today),
    before: past === null ? null : byMetric(past.before),
    customers: past?.customers ?? null,
  };
}

type Counted = Awaited<ReturnType<typeof countEvents>>;

/** What failed is kept as well: a scan that is too much for the database must not be begun by every scrape. */
async function orNothing<Answer>(make: () => Promise<Answer>): Promise<Answer | null> {
  try {
    return await make();
  } catch (error) {
    console.error(JSON.stringify({ at: "read-events", error: String(error) }));
    return null;
  }
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
    const counters = clip(countersOf.get(metric.id) ?? [], day, day);
    return countCustomersEvents(db, project_id, counters, { top, limit: FIGURES_DAYS_MAX });
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
