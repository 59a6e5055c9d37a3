import type { DayPlan } from "@tidemark/core/day-plan";
import { sql } from "drizzle-orm";
import { prepare } from "./prepare.ts";
import { type Limbs, TOTAL_HIGH, TOTAL_LOW, toTotal } from "./total.ts";
import { usageParts } from "./usage-parts.ts";

/** One metric of one project. */
export interface RankingScope {
  readonly project_id: string;
  readonly metric_id: string;
}

export interface RankedCustomer {
  readonly customer_id: string;
  readonly name: string | null;
  readonly first_seen_at: number | null;
  /** The latest counted event of the days asked for. */
  readonly last_at: number;
  readonly total: bigint;
}

export interface CustomerSum {
  readonly customer_id: string;
  readonly bucket: number;
  readonly total: bigint;
}

interface RankingOptions {
  readonly limit: number;
  /** Whether totals below zero are shown, and ranked, as zero. */
  readonly clamp: boolean;
}

/** The customers with counted events in a plan, by what they used; equals by their id. */
export async function rankCustomers(
  db: D1Database,
  scope: RankingScope,
  plan: DayPlan,
  options: RankingOptions,
): Promise<readonly RankedCustomer[]> {
  const parts = usageParts({ project_id: scope.project_id, metric_ids: [scope.metric_id], customer_ids: null }, plan, {
    labelIndexes: null,
    live: [],
  });
  const clamped = options.clamp ? sql`high < 0` : sql`FALSE`;
  const query = sql`
    WITH sums AS (
      SELECT customer_id, MAX(last_at) AS last_at,
        SUM(value >> 32) + (SUM(value & 4294967295) >> 32) AS high, SUM(value & 4294967295) & 4294967295 AS low
      FROM (${parts})
      GROUP BY customer_id
    ), ranked AS (
      SELECT customer_id, last_at, high, low,
        ROW_NUMBER() OVER (ORDER BY IIF(${clamped}, 0, high) DESC, IIF(${clamped}, 0, low) DESC, customer_id) AS place
      FROM sums
      ORDER BY place
      LIMIT ${options.limit}
    )
    SELECT r.customer_id, c.name, c.first_seen_at, r.last_at, CAST(r.high AS TEXT) AS high, CAST(r.low AS TEXT) AS low
    FROM ranked AS r
    LEFT JOIN customers AS c ON c.project_id = ${scope.project_id} AND c.customer_id = r.customer_id
    ORDER BY r.place`;
  const { results } = await prepare(db, query).all<Omit<RankedCustomer, "total"> & Limbs>();
  return results.map(({ high, low, ...customer }) => ({ ...customer, total: toTotal({ high, low }) }));
}

/** What some customers used in each bucket of a plan; buckets without a counted event are left out. */
export async function sumByCustomer(
  db: D1Database,
  scope: RankingScope & { readonly customer_ids: readonly string[] },
  plan: DayPlan,
): Promise<readonly CustomerSum[]> {
  const { project_id, metric_id, customer_ids } = scope;
  const parts = usageParts({ project_id, metric_ids: [metric_id], customer_ids }, plan, {
    labelIndexes: null,
    live: [],
  });
  const query = sql`
    SELECT customer_id, bucket, ${TOTAL_HIGH}, ${TOTAL_LOW}
    FROM (${parts})
    GROUP BY customer_id, bucket`;
  const { results } = await prepare(db, query).all<Omit<CustomerSum, "total"> & Limbs>();
  return results.map(({ customer_id, bucket, ...limbs }) => ({ customer_id, bucket, total: toTotal(limbs) }));
}
