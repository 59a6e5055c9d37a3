import type { DayPlan } from "@tidemark/core/day-plan";
import { isTotal } from "@tidemark/core/usage-fold";
import { type SQL, sql } from "drizzle-orm";
import { groupFilter, groupKey, type GroupView } from "./group-key.ts";
import { SAID_KEY } from "./said-key.ts";
import type { Reducible } from "./total.ts";

/** A counter with the days that are read of it. */
export interface CounterPlan {
  readonly counter_id: string;
  readonly plan: DayPlan;
}

/** Whose usage of what. */
export interface UsageScope {
  readonly project_id: string;
  readonly counters: readonly CounterPlan[];
  /** `null`: every customer of the project. */
  readonly customer_ids: readonly string[] | null;
}

/** How it is put together. */
export interface PartOptions {
  readonly aggregation: Reducible;
  readonly view: GroupView;
}

/** All of a counter, not split. */
export const TOTAL_VIEW: GroupView = { labelIndexes: null, segment: null, only: [] };

/**
 * A query for the parts that usage is composed of: `customer_id, bucket, group_labels, value, said,
 * last_at`, a row for each day or hour of a day in which something counted. The loops run from the small
 * lists to the table, so that each step is a range of the primary key; JSON is read only where hours or
 * labels are asked for. Days beyond 64 bits are left out.
 */
export function usageParts(scope: UsageScope, options: PartOptions): SQL {
  const { counters, customer_ids } = scope;
  const byHour = options.aggregation === "latest";
  const whole = counters.flatMap(({ counter_id, plan }) => plan.whole.map((entry) => [counter_id, ...entry]));
  const cut = counters.flatMap(({ counter_id, plan }) => plan.cut.map((entry) => [counter_id, ...entry]));
  return sql`
    WITH whole_day(counter, day, bucket) AS MATERIALIZED (
      SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(${JSON.stringify(whole)})
    ), cut_day(counter, day, buckets) AS MATERIALIZED (
      SELECT value ->> 0, value ->> 1, value -> 2 FROM json_each(${JSON.stringify(cut)})
    ), customer(id) AS MATERIALIZED (
      SELECT value FROM json_each(${JSON.stringify(customer_ids ?? [])})
    )
    ${byHour ? hours(scope, options, WHOLE) : wholeDays(scope, options)} UNION ALL ${hours(scope, options, CUT)}`;
}

function wholeDays(scope: UsageScope, { view }: PartOptions): SQL {
  const isSplit = !isTotal(view);
  return sql`
    SELECT u.customer_id, d.bucket, ${groupKey(view)} AS group_labels,
      ${isSplit ? sql`CAST(u.groups ->> (g.fullkey || '.value') AS INTEGER)` : sql`u.value`} AS value,
      NULL AS said, u.last_at
    FROM whole_day AS d ${stored(scope)} ${isSplit ? sql`CROSS JOIN json_each(u.groups) AS g` : sql``}
    WHERE ${counted(scope)} ${groupFilter(view)}`;
}

const WHOLE = { days: sql`whole_day`, bucket: sql`d.bucket` };
const CUT = { days: sql`cut_day`, bucket: sql`d.buckets ->> CAST(h.key AS INTEGER)` };

function hours(scope: UsageScope, { aggregation, view }: PartOptions, { days, bucket }: typeof WHOLE): SQL {
  return sql`
    SELECT u.customer_id, ${bucket} AS bucket, ${groupKey(view)} AS group_labels, CAST(h.value AS INTEGER) AS value,
      ${aggregation === "latest" ? SAID_KEY : sql`NULL`} AS said, u.last_at
    FROM ${days} AS d ${stored(scope)}
    CROSS JOIN json_each(u.groups) AS g
    CROSS JOIN json_each(u.groups, g.fullkey || '.hours') AS h
    WHERE ${counted(scope)} ${groupFilter(view)} AND ${bucket} IS NOT NULL`;
}

/** The stored days of the scope, driven by the days `d`. */
function stored({ customer_ids }: UsageScope): SQL {
  return customer_ids === null
    ? sql`CROSS JOIN usage_days AS u`
    : sql`CROSS JOIN customer AS c CROSS JOIN usage_days AS u`;
}

/** Which of them count: those with an event. */
function counted({ project_id, customer_ids }: UsageScope): SQL {
  const customers = customer_ids === null ? sql`` : sql`AND u.customer_id = c.id`;
  return sql`u.project_id = ${project_id} AND u.metric_id = d.counter AND u.day = d.day ${customers} AND u.events > 0 AND u.overflow = 0`;
}
