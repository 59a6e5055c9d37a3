import type { DayPlan, UsageSum } from "@tidemark/core/day-plan";
import { type SplitPlan, toSplitPlan } from "@tidemark/core/split-plan";
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
  /** At most twice as many sums are read: one more than the caller can use. */
  readonly limit: number;
}

/**
 * Adds up a metric's usage over all customers, in one transaction. There can be a million customers' days
 * in it, so the database adds by bucket, and opens JSON only for the hours and labels that matter.
 */
export async function sumProjectUsage(db: D1Database, question: ProjectUsageQuestion): Promise<readonly UsageSum[]> {
  const plan = toSplitPlan(question.plan);
  const [totals, moved, hours] = await db.batch<Row>([
    prepare(db, dayTotals(question, plan)),
    prepare(db, movedHours(question, plan)),
    prepare(db, allHours(question, plan)),
  ]);
  const sums = new Map<string, UsageSum>();
  const add = (bucket: number | null, group: string, total: bigint): void => {
    if (bucket === null) return;
    const key = `${bucket} ${group}`;
    sums.set(key, { metric_id: question.metric_id, bucket, group, total: (sums.get(key)?.total ?? 0n) + total });
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
  const { labelIndexes } = question;
  const groups = labelIndexes === null ? sql`` : sql`CROSS JOIN json_each(u.groups) AS g`;
  const value = labelIndexes === null ? sql`u.value` : sql`CAST(u.groups ->> (g.fullkey || '.value') AS INTEGER)`;
  const days = split.map(({ day, main }) => [day, main]);
  return sql`
    SELECT bucket, NULL AS other, group_labels, ${TOTAL_HIGH}, ${TOTAL_LOW}
    FROM (
      SELECT d.value ->> 1 AS bucket, ${labelsOf(question)} AS group_labels, ${value} AS value
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
    SELECT bucket, other, group_labels, ${TOTAL_HIGH}, ${TOTAL_LOW}
    FROM (
      SELECT d.value ->> 1 AS bucket, d.value ->> 2 AS other, ${labelsOf(question)} AS group_labels,
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
    SELECT bucket, NULL AS other, group_labels, ${TOTAL_HIGH}, ${TOTAL_LOW}
    FROM (
      SELECT u.day * 24 + CAST(h.key AS INTEGER) AS bucket, ${labelsOf(question)} AS group_labels,
        CAST(h.value AS INTEGER) AS value
      FROM json_each(${JSON.stringify(hourly.map(([day]) => [day]))}) AS d CROSS JOIN usage_days AS u
      CROSS JOIN json_each(u.groups) AS g CROSS JOIN json_each(u.groups, g.fullkey || '.hours') AS h
      WHERE ${stored(question)}
    )
    ${grouping(question, sql`bucket`)}`;
}

/** The days in which something counted, driven by a list of days: each is a range of the primary key. */
function stored({ project_id, metric_id }: ProjectUsageQuestion): SQL {
  return sql`u.project_id = ${project_id} AND u.metric_id = ${metric_id} AND u.day = d.value ->> 0 AND u.events > 0`;
}

/** How many events of a span of UTC days matched and had no usable value, over all customers. */
export async function countRejected(
  db: D1Database,
  { project_id, metric_id }: Pick<ProjectUsageQuestion, "project_id" | "metric_id">,
  days: { readonly first: number; readonly last: number },
): Promise<number> {
  const query = sql`
    SELECT COALESCE(SUM(rejected), 0) AS rejected
    FROM usage_days
    WHERE project_id = ${project_id} AND metric_id = ${metric_id} AND day BETWEEN ${days.first} AND ${days.last}`;
  return (await prepare(db, query).first<number>("rejected")) ?? 0;
}

function labelsOf({ labelIndexes }: ProjectUsageQuestion): SQL {
  return labelIndexes === null ? sql`'[]'` : groupKey(labelIndexes);
}

/** Sorting is what costs, so text is among the keys only when it is asked for. A moved hour has two keys. */
function grouping({ labelIndexes, limit }: ProjectUsageQuestion, keys: SQL): SQL {
  return sql`GROUP BY ${keys} ${labelIndexes === null ? sql`` : sql`, group_labels`} LIMIT ${2 * limit}`;
}
