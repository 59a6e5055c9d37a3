import type { DayPlan } from "@tidemark/core/day-plan";
import { type SQL, sql } from "drizzle-orm";
import { groupKey } from "./group-key.ts";

/** Whose usage of what. */
export interface UsageScope {
  readonly project_id: string;
  readonly metric_ids: readonly string[];
  /** `null`: every customer of the project. */
  readonly customer_ids: readonly string[] | null;
}

export interface PartOptions {
  /** Positions of the labels to group by; `null` not to group. */
  readonly labelIndexes: readonly number[] | null;
  /** Days that count only where the stored version is not older than this. */
  readonly live: readonly { readonly metric_id: string; readonly day: number; readonly version: number }[];
}

/**
 * A query for the parts that usage is composed of: `metric_id, customer_id, bucket, group_labels, value,
 * last_at`, a row for each day or hour of a day in which something counted. Every reading of usage adds
 * these up. The loops run from the small lists to the table, so that each step is a range of the primary
 * key; JSON is read only where hours or labels are asked for.
 *
 * @param plan not empty.
 */
export function usageParts(scope: UsageScope, plan: DayPlan, options: PartOptions): SQL {
  const parts: SQL[] = [];
  if (plan.whole.length > 0) parts.push(wholeDays(scope, options));
  if (plan.cut.length > 0) parts.push(cutDays(scope, options));
  return sql`
    WITH whole_day(day, bucket) AS MATERIALIZED (
      SELECT value ->> 0, value ->> 1 FROM json_each(${JSON.stringify(plan.whole)})
    ), cut_day(day, buckets) AS MATERIALIZED (
      SELECT value ->> 0, value -> 1 FROM json_each(${JSON.stringify(plan.cut)})
    ), metric(id) AS MATERIALIZED (
      SELECT value FROM json_each(${JSON.stringify(scope.metric_ids)})
    ), customer(id) AS MATERIALIZED (
      SELECT value FROM json_each(${JSON.stringify(scope.customer_ids ?? [])})
    ), live(metric_id, day, version) AS MATERIALIZED (
      SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(${JSON.stringify(toTriples(options.live))})
    )
    ${sql.join(parts, sql` UNION ALL `)}`;
}

function wholeDays(scope: UsageScope, options: PartOptions): SQL {
  const grouped = options.labelIndexes !== null;
  return sql`
    SELECT u.metric_id, u.customer_id, d.bucket, ${groupLabels(options)} AS group_labels,
      ${grouped ? sql`CAST(u.groups ->> (g.fullkey || '.value') AS INTEGER)` : sql`u.value`} AS value, u.last_at
    FROM whole_day AS d ${stored(scope, options)} ${grouped ? sql`CROSS JOIN json_each(u.groups) AS g` : sql``}
    WHERE ${counted(scope, options)}`;
}

function cutDays(scope: UsageScope, options: PartOptions): SQL {
  return sql`
    SELECT u.metric_id, u.customer_id, d.buckets ->> CAST(h.key AS INTEGER) AS bucket,
      ${groupLabels(options)} AS group_labels, CAST(h.value AS INTEGER) AS value, u.last_at
    FROM cut_day AS d ${stored(scope, options)}
    CROSS JOIN json_each(u.groups) AS g
    CROSS JOIN json_each(u.groups, g.fullkey || '.hours') AS h
    WHERE ${counted(scope, options)} AND d.buckets ->> CAST(h.key AS INTEGER) IS NOT NULL`;
}

/** The stored days of the scope, driven by the days `d`. */
function stored({ customer_ids }: UsageScope, { live }: PartOptions): SQL {
  const customers = customer_ids === null ? sql`` : sql`CROSS JOIN customer AS c`;
  const newer = live.length === 0 ? sql`` : sql`LEFT JOIN live AS l ON l.metric_id = u.metric_id AND l.day = u.day`;
  return sql`CROSS JOIN metric AS m ${customers} CROSS JOIN usage_days AS u ${newer}`;
}

/** Which of them count: those with an event, unless a meter knows the day better. */
function counted({ project_id, customer_ids }: UsageScope, { live }: PartOptions): SQL {
  const customers = customer_ids === null ? sql`` : sql`AND u.customer_id = c.id`;
  const current = live.length === 0 ? sql`` : sql`AND (l.version IS NULL OR l.version <= u.version)`;
  return sql`u.project_id = ${project_id} AND u.metric_id = m.id AND u.day = d.day ${customers} AND u.events > 0 ${current}`;
}

function groupLabels({ labelIndexes }: PartOptions): SQL {
  return labelIndexes === null ? sql`'[]'` : groupKey(labelIndexes);
}

function toTriples(live: PartOptions["live"]): readonly (readonly [string, number, number])[] {
  return live.map(({ metric_id, day, version }) => [metric_id, day, version]);
}
