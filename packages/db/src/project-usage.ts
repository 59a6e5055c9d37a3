import type { DayPlan } from "@tidemark/core/day-plan";
import { type SplitPlan, toSplitPlan } from "@tidemark/core/split-plan";
import { isTotal, type UsageFigure } from "@tidemark/core/usage-fold";
import { type SQL, sql } from "drizzle-orm";
import { groupFilter, groupKey, type GroupView, readGroupKey } from "./group-key.ts";
import { prepare } from "./prepare.ts";
import { readSaidKey } from "./said-key.ts";
import { type Limbs, type Reducible, totalColumns, toTotal } from "./total.ts";
import { usageParts } from "./usage-parts.ts";

export interface ProjectUsageQuestion {
  readonly project_id: string;
  readonly counter_id: string;
  readonly aggregation: Reducible;
  readonly plan: DayPlan;
  readonly view: GroupView;
  /** At most twice as many figures are read: one more than the caller can use. */
  readonly limit: number;
}

/** A counter's usage over all customers. There can be a million customers' days in it, so the database composes it. */
export async function readProjectUsage(
  db: D1Database,
  question: ProjectUsageQuestion,
): Promise<readonly UsageFigure[]> {
  const { project_id, counter_id, aggregation, plan, view, limit } = question;
  if (aggregation === "count" || aggregation === "sum") return sumProjectUsage(db, question);
  const scope = { project_id, counters: [{ counter_id, plan }], customer_ids: null };
  const query = sql`
    SELECT bucket, group_labels, ${totalColumns(aggregation)}
    FROM (${usageParts(scope, { aggregation, view })})
    GROUP BY bucket, group_labels
    LIMIT ${limit}`;
  const { results } = await prepare(db, query).all<
    Limbs & { bucket: number; group_labels: string; said: string | null }
  >();
  return results.map((row) => ({
    bucket: row.bucket,
    group: readGroupKey(row.group_labels),
    total: toTotal(row),
    approximate: false,
    ...readSaidKey(row.said),
  }));
}

/** Adds up in one transaction, and opens JSON only for the hours and labels that matter. */
async function sumProjectUsage(db: D1Database, question: ProjectUsageQuestion): Promise<readonly UsageFigure[]> {
  const plan = toSplitPlan(question.plan, question.view.labelIndexes !== null);
  const [totals, moved, hours] = await db.batch<Row>([
    prepare(db, dayTotals(question, plan)),
    prepare(db, movedHours(question, plan)),
    prepare(db, allHours(question, plan)),
  ]);
  const sums = new Map<string, UsageFigure>();
  const add = (bucket: number | null, group: string, total: bigint): void => {
    if (bucket === null) return;
    const key = `${bucket} ${group}`;
    sums.set(key, { bucket, group, total: (sums.get(key)?.total ?? 0n) + total, approximate: false });
  };
  for (const row of totals?.results ?? []) add(row.bucket, readGroupKey(row.group_labels), toTotal(row));
  for (const row of moved?.results ?? []) {
    const group = readGroupKey(row.group_labels);
    add(row.bucket, group, -toTotal(row));
    add(row.other, group, toTotal(row));
  }
  const bucketsOfDay = new Map(plan.hourly);
  for (const row of hours?.results ?? []) {
    const hour = row.bucket ?? NaN;
    add(bucketsOfDay.get(Math.floor(hour / 24))?.[hour % 24] ?? null, readGroupKey(row.group_labels), toTotal(row));
  }
  return [...sums.values()];
}

interface Row extends Limbs {
  /** `null`: outside of what is asked for. */
  readonly bucket: number | null;
  /** Where moved hours belong. */
  readonly other: number | null;
  readonly group_labels: string;
}

/** The totals of days in at most two parts, all given to the larger one. */
function dayTotals(question: ProjectUsageQuestion, { split }: SplitPlan): SQL {
  const { view } = question;
  const groups = isTotal(view) ? sql`` : sql`CROSS JOIN json_each(u.groups) AS g`;
  const value = isTotal(view) ? sql`u.value` : sql`CAST(u.groups ->> (g.fullkey || '.value') AS INTEGER)`;
  const days = split.map(({ day, main }) => [day, main]);
  return sql`
    SELECT bucket, NULL AS other, group_labels, ${totalColumns(question.aggregation)}
    FROM (
      SELECT d.value ->> 1 AS bucket, ${groupKey(question.view)} AS group_labels, ${value} AS value
      FROM json_each(${JSON.stringify(days)}) AS d CROSS JOIN usage_days AS u ${groups}
      WHERE ${stored(question)}
    )
    ${grouping(question, sql`bucket`)}`;
}

/** The hours of the smaller parts. */
function movedHours(question: ProjectUsageQuestion, { split }: SplitPlan): SQL {
  const cut = split.filter(({ moved }) => moved.length > 0);
  const days = cut.map(({ day, main, other, moved }) => [day, main, other, toMask(moved)]);
  return sql`
    SELECT bucket, other, group_labels, ${totalColumns(question.aggregation)}
    FROM (
      SELECT d.value ->> 1 AS bucket, d.value ->> 2 AS other, ${groupKey(question.view)} AS group_labels,
        CAST(h.value AS INTEGER) AS value
      FROM json_each(${JSON.stringify(days)}) AS d CROSS JOIN usage_days AS u
      CROSS JOIN json_each(u.groups) AS g CROSS JOIN json_each(u.groups, g.fullkey || '.hours') AS h
      WHERE ${stored(question)} AND (d.value ->> 3) >> CAST(h.key AS INTEGER) & 1
    )
    ${grouping(question, sql`bucket, other`)}`;
}

/** A bit for each hour. */
function toMask(hours: readonly number[]): number {
  return hours.reduce((mask, hour) => mask | (1 << hour), 0);
}

/** The hours of days in more than two parts; `bucket` is the hour since 1970, because integers sort fastest. */
function allHours(question: ProjectUsageQuestion, { hourly }: SplitPlan): SQL {
  return sql`
    SELECT bucket, NULL AS other, group_labels, ${totalColumns(question.aggregation)}
    FROM (
      SELECT u.day * 24 + CAST(h.key AS INTEGER) AS bucket, ${groupKey(question.view)} AS group_labels,
        CAST(h.value AS INTEGER) AS value
      FROM json_each(${JSON.stringify(hourly.map(([day]) => [day]))}) AS d CROSS JOIN usage_days AS u
      CROSS JOIN json_each(u.groups) AS g CROSS JOIN json_each(u.groups, g.fullkey || '.hours') AS h
      WHERE ${stored(question)}
    )
    ${grouping(question, sql`bucket`)}`;
}

/** The days in which something counted, driven by a list of days: each is a range of the primary key. */
function stored({ project_id, counter_id, view }: ProjectUsageQuestion): SQL {
  return sql`u.project_id = ${project_id} AND u.metric_id = ${counter_id} AND u.day = d.value ->> 0
    AND u.events > 0 AND u.overflow = 0 ${groupFilter(view)}`;
}

/** Days of a counter, both ends included. */
export interface CounterDays {
  readonly counter_id: string;
  readonly first: number;
  readonly last: number;
}

/**
 * How many events of some counters' days matched and had no usable value, over all customers, and whether
 * any of these days is beyond 64 bits.
 */
export async function readMarks(
  db: D1Database,
  projectId: string,
  counters: readonly CounterDays[],
): Promise<{ readonly rejected: number; readonly overflow: boolean }> {
  const days = counters.map(({ counter_id, first, last }) => [counter_id, first, last]);
  const query = sql`
    SELECT COALESCE(SUM(u.rejected), 0) AS rejected, COALESCE(MAX(u.overflow), 0) AS overflow
    FROM json_each(${JSON.stringify(days)}) AS c CROSS JOIN usage_days AS u
    WHERE u.project_id = ${projectId} AND u.metric_id = c.value ->> 0
      AND u.day BETWEEN c.value ->> 1 AND c.value ->> 2`;
  const marks = await prepare(db, query).first<{ rejected: number; overflow: number }>();
  return { rejected: marks?.rejected ?? 0, overflow: marks?.overflow === 1 };
}

/** Sorting is what costs, so text is among the keys only when it is asked for. A moved hour has two keys. */
function grouping({ view, limit }: ProjectUsageQuestion, keys: SQL): SQL {
  return sql`GROUP BY ${keys} ${view.labelIndexes === null ? sql`` : sql`, group_labels`} LIMIT ${2 * limit}`;
}
