import type { DayPlan, UsageSum } from "@tidemark/core/day-plan";
import { type SQL, sql } from "drizzle-orm";
import { readGroupKey } from "./group-key.ts";
import { prepare } from "./prepare.ts";
import { type Limbs, TOTAL_HIGH, TOTAL_LOW, toTotal } from "./total.ts";
import { type UsageScope, usageParts } from "./usage-parts.ts";

/** A stored day's version, and how many events of it had no usable value. */
export interface DayMark {
  readonly metric_id: string;
  readonly day: number;
  readonly version: number;
  readonly rejected: number;
}

/** Of which customers to add up what, and how to split it. */
export interface UsageQuestion {
  readonly scope: UsageScope & { readonly customer_ids: readonly string[] };
  readonly plan: DayPlan;
  /** Positions of the labels to group by in the metric's `group_by`; `null` not to group. */
  readonly labelIndexes: readonly number[] | null;
  /** Days that a meter knows better: they count here only where the stored version is not older. */
  readonly live: readonly Pick<DayMark, "metric_id" | "day" | "version">[];
  /** At most this many sums are returned: one more than the caller can use. */
  readonly limit: number;
}

type SumRow = Limbs & { readonly metric_id: string; readonly bucket: number; readonly group_labels: string };

/**
 * Adds up stored usage by metric, bucket and label group, and reads the marks of the days of `marks`:
 * both in one transaction, so that a day's version and its sum belong together.
 */
export async function sumUsage(
  db: D1Database,
  question: UsageQuestion,
  marks: { readonly first: number; readonly last: number },
): Promise<{ readonly sums: readonly UsageSum[]; readonly marks: readonly DayMark[] }> {
  const [rows, days] = await db.batch([prepare(db, sumQuery(question)), prepare(db, markQuery(question.scope, marks))]);
  return { sums: ((rows?.results ?? []) as SumRow[]).map(toSum), marks: (days?.results ?? []) as DayMark[] };
}

function sumQuery({ scope, plan, labelIndexes, live, limit }: UsageQuestion): SQL {
  return sql`
    SELECT metric_id, bucket, group_labels, ${TOTAL_HIGH}, ${TOTAL_LOW}
    FROM (${usageParts(scope, plan, { labelIndexes, live })})
    GROUP BY metric_id, bucket, group_labels
    LIMIT ${limit}`;
}

function markQuery(scope: UsageQuestion["scope"], days: { readonly first: number; readonly last: number }): SQL {
  const { project_id, metric_ids, customer_ids } = scope;
  return sql`
    WITH RECURSIVE span(day) AS (
      SELECT ${days.first} UNION ALL SELECT day + 1 FROM span WHERE day < ${days.last}
    )
    SELECT u.metric_id, u.day, u.version, u.rejected
    FROM json_each(${JSON.stringify(metric_ids)}) AS m
    CROSS JOIN span
    CROSS JOIN json_each(${JSON.stringify(customer_ids)}) AS c
    CROSS JOIN usage_days AS u
    WHERE u.project_id = ${project_id} AND u.metric_id = m.value AND u.day = span.day AND u.customer_id = c.value`;
}

function toSum({ metric_id, bucket, group_labels, ...limbs }: SumRow): UsageSum {
  return { metric_id, bucket, group: readGroupKey(group_labels), total: toTotal(limbs) };
}
