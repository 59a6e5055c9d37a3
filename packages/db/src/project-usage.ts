import type { DayPlan, UsageSum } from "@tidemark/core/day-plan";
import { type SplitDay, type SplitPlan, toSplitPlan } from "@tidemark/core/split-plan";
import { type SQL, sql } from "drizzle-orm";
import { groupKey, readGroupKey } from "./group-key.ts";
import { prepare } from "./prepare.ts";
import { type Limbs, TOTAL_HIGH, TOTAL_LOW, toTotal } from "./total.ts";

export interface ProjectUsageQuestion {
  readonly project_id: string;
  readonly metric_id: string;
  readonly plan: DayPlan;
  /** Positions of the labels to group by in the metric's `group_by`; `null` not to group. */
  readonly labelIndexes: readonly number[] | null;
  /** At most this many sums are read at once: one more than the caller can use. */
  readonly limit: number;
}

/**
 * Adds up a metric's usage over all customers. There can be a million customers' days in it, so the
 * database adds by day, and opens JSON only for the hours and labels that matter.
 */
export async function sumProjectUsage(db: D1Database, question: ProjectUsageQuestion): Promise<readonly UsageSum[]> {
  const plan = toSplitPlan(question.plan);
  const [totals, moved, hours] = await Promise.all([
    readRows(db, plan.split.length > 0 ? dayTotals(question, plan) : undefined),
    readRows(db, plan.split.some((day) => day.moved.length > 0) ? movedHours(question, plan) : undefined),
    readRows(db, plan.hourly.length > 0 ? allHours(question, plan) : undefined),
  ]);
  const sums = new Map<string, UsageSum>();
  const add = (bucket: number | null, group: string, total: bigint): void => {
    const key = `${bucket} ${group}`;
    if (bucket !== null) sums.set(key, { metric_id: question.metric_id, bucket, group, total: (sums.get(key)?.total ?? 0n) + total });
  };
  const splitDays = new Map(plan.split.map((day) => [day.day, day]));
  for (const { day, group, total } of totals) add(splitDays.get(day)?.main ?? null, group, total);
  for (const { day, group, total } of moved) {
    add(splitDays.get(day)?.main ?? null, group, -total);
    add(splitDays.get(day)?.other ?? null, group, total);
  }
  const buckets = new Map(plan.hourly);
  for (const { day, hour, group, total } of hours) add(buckets.get(day)?.[hour] ?? null, group, total);
  return [...sums.values()];
}

interface Row {
  readonly day: number;
  readonly hour: number;
  readonly group: string;
  readonly total: bigint;
}

async function readRows(db: D1Database, query: SQL | undefined): Promise<readonly Row[]> {
  if (query === undefined) return [];
  const { results } = await prepare(db, query).all<Limbs & { day: number; hour: number; group_labels: string }>();
  return results.map(({ day, hour, group_labels, ...limbs }) => ({ day, hour, group: readGroupKey(group_labels), total: toTotal(limbs) }));
}

/** The totals of whole days. */
function dayTotals(question: ProjectUsageQuestion, plan: SplitPlan): SQL {
  const { labelIndexes } = question;
  const groups = labelIndexes === null ? sql`` : sql`CROSS JOIN json_each(u.groups) AS g`;
  const value = labelIndexes === null ? sql`u.value` : sql`CAST(u.groups ->> (g.fullkey || '.value') AS INTEGER)`;
  return sql`
    SELECT day, 0 AS hour, group_labels, ${TOTAL_HIGH}, ${TOTAL_LOW}
    FROM (
      SELECT d.value AS day, ${labelsOf(labelIndexes)} AS group_labels, ${value} AS value
      FROM json_each(${JSON.stringify(plan.split.map(({ day }) => day))}) AS d CROSS JOIN usage_days AS u ${groups}
      WHERE ${stored(question, sql`d.value`)}
    )
    ${grouping(question, sql`day`)}`;
}

/** The shorter sides of the days that a boundary cuts, each as one sum. */
function movedHours(question: ProjectUsageQuestion, plan: SplitPlan): SQL {
  const days = plan.split.filter(({ moved }) => moved.length > 0).map(({ day, moved }) => [day, toMask(moved)]);
  return sql`
    SELECT day, 0 AS hour, group_labels, ${TOTAL_HIGH}, ${TOTAL_LOW}
    FROM (
      SELECT d.value ->> 0 AS day, ${labelsOf(question.labelIndexes)} AS group_labels, CAST(h.value AS INTEGER) AS value
      FROM json_each(${JSON.stringify(days)}) AS d CROSS JOIN usage_days AS u
      CROSS JOIN json_each(u.groups) AS g CROSS JOIN json_each(u.groups, g.fullkey || '.hours') AS h
      WHERE ${stored(question, sql`d.value ->> 0`)} AND (d.value ->> 1) >> CAST(h.key AS INTEGER) & 1
    )
    ${grouping(question, sql`day`)}`;
}

/** A bit for each hour. */
function toMask(hours: readonly number[]): number {
  return hours.reduce((mask, hour) => mask | (1 << hour), 0);
}

/** Every hour of some days. */
function allHours(question: ProjectUsageQuestion, plan: SplitPlan): SQL {
  return sql`
    SELECT day, hour, group_labels, ${TOTAL_HIGH}, ${TOTAL_LOW}
    FROM (
      SELECT d.value AS day, CAST(h.key AS INTEGER) AS hour, ${labelsOf(question.labelIndexes)} AS group_labels,
        CAST(h.value AS INTEGER) AS value
      FROM json_each(${JSON.stringify(plan.hourly.map(([day]) => day))}) AS d CROSS JOIN usage_days AS u
      CROSS JOIN json_each(u.groups) AS g CROSS JOIN json_each(u.groups, g.fullkey || '.hours') AS h
      WHERE ${stored(question, sql`d.value`)}
    )
    ${grouping(question, sql`day, hour`)}`;
}

/** The days in which something counted, driven by a list of days: each is a range of the primary key. */
function stored({ project_id, metric_id }: ProjectUsageQuestion, day: SQL): SQL {
  return sql`u.project_id = ${project_id} AND u.metric_id = ${metric_id} AND u.day = ${day} AND u.events > 0`;
}

function labelsOf(labelIndexes: readonly number[] | null): SQL {
  return labelIndexes === null ? sql`'[]'` : groupKey(labelIndexes);
}

/** Sorting is what costs, so text is among the keys only when it is asked for. */
function grouping({ labelIndexes, limit }: ProjectUsageQuestion, keys: SQL): SQL {
  return sql`GROUP BY ${keys} ${labelIndexes === null ? sql`` : sql`, group_labels`} LIMIT ${limit}`;
}
