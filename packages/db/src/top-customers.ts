import type { Aggregation } from "@tidemark/core";
import type { UsageFigure } from "@tidemark/core/usage-fold";
import { type SQL, sql } from "drizzle-orm";
import { prepare } from "./prepare.ts";
import { readSaidKey } from "./said-key.ts";
import { type Limbs, limbsOf, type Reducible, totalColumns, toTotal } from "./total.ts";
import { type CounterPlan, TOTAL_VIEW, usageParts } from "./usage-parts.ts";

/** One metric of one project: the counters that it is read as, with the days to read of each. */
export interface RankingScope<Rule extends Aggregation = Aggregation> {
  readonly project_id: string;
  readonly counters: readonly CounterPlan[];
  readonly aggregation: Rule;
}

export interface RankedCustomer {
  readonly customer_id: string;
  readonly name: string | null;
  readonly first_seen_at: number | null;
  /** The latest counted event of the days asked for. */
  readonly last_at: number;
  readonly total: bigint;
  /** How many customers there are in all, those beyond the limit as well. */
  readonly found: number;
}

interface RankingOptions {
  readonly limit: number;
  /** Only customers whose latest event is not after this. */
  readonly silentSince?: number;
  /** Whether totals below zero are shown, and ranked, as zero. */
  readonly clamp: boolean;
}

/**
 * The customers with counted events in a plan, by what it comes to; equals by their id. For a distinct
 * count by the sum of their days, which is the most it can be: its ids are not united here.
 */
export async function rankCustomers(
  db: D1Database,
  scope: RankingScope,
  options: RankingOptions,
): Promise<readonly RankedCustomer[]> {
  const aggregation = scope.aggregation === "unique" ? "sum" : scope.aggregation;
  const counters = scope.aggregation === "unique" ? scope.counters.map(toWholeDays) : scope.counters;
  const { high, low, said } = limbsOf(aggregation);
  const clamped = options.clamp ? sql`high < 0` : sql`FALSE`;
  const { silentSince } = options;
  const isListed = silentSince === undefined ? sql`TRUE` : sql`last_at <= ${silentSince}`;
  const query = sql`
    WITH totals AS (
      SELECT customer_id, ${lastAt(aggregation)} AS last_at, ${high} AS high, ${low} AS low, ${said} AS said
      FROM (${usageParts({ ...scope, counters, customer_ids: null }, { aggregation, view: TOTAL_VIEW })})
      GROUP BY customer_id
    ), ranked AS (
      SELECT customer_id, last_at, high, low, COUNT(*) OVER () AS found,
        ROW_NUMBER() OVER (ORDER BY IIF(${clamped}, 0, high) DESC, IIF(${clamped}, 0, low) DESC, customer_id) AS place
      FROM totals
      WHERE ${isListed}
      ORDER BY place
      LIMIT ${options.limit}
    )
    SELECT r.customer_id, c.name, c.first_seen_at, r.last_at, r.found,
      CAST(r.high AS TEXT) AS high, CAST(r.low AS TEXT) AS low
    FROM ranked AS r
    LEFT JOIN customers AS c ON c.project_id = ${scope.project_id} AND c.customer_id = r.customer_id
    ORDER BY r.place`;
  const { results } = await prepare(db, query).all<Omit<RankedCustomer, "total"> & Limbs>();
  return results.map(({ high: upper, low: lower, ...customer }) => ({
    ...customer,
    total: toTotal({ high: upper, low: lower }),
  }));
}

/** A second MAX would take the value from another row: there, the value's own time is the latest. */
export function lastAt(aggregation: Reducible): SQL {
  return aggregation === "latest" ? sql`CAST(SUBSTR(MAX(said), 1, 16) AS INTEGER)` : sql`MAX(last_at)`;
}

function toWholeDays({ counter_id, plan }: CounterPlan): CounterPlan {
  const cut = plan.cut.map(([day, buckets]) => [day, buckets.find((bucket) => bucket !== null) ?? 0] as const);
  return { counter_id, plan: { whole: [...plan.whole, ...cut], cut: [] } };
}

/** What some customers used in each bucket of a plan; buckets without a counted event are left out. */
export async function readCustomerFigures(
  db: D1Database,
  scope: RankingScope<Reducible>,
  customerIds: readonly string[],
): Promise<readonly (UsageFigure & { readonly customer_id: string })[]> {
  const { aggregation } = scope;
  const parts = usageParts({ ...scope, customer_ids: customerIds }, { aggregation, view: TOTAL_VIEW });
  const query = sql`
    SELECT customer_id, bucket, ${totalColumns(aggregation)}
    FROM (${parts})
    GROUP BY customer_id, bucket`;
  const { results } = await prepare(db, query).all<
    Limbs & { customer_id: string; bucket: number; said: string | null }
  >();
  return results.map((row) => ({
    customer_id: row.customer_id,
    bucket: row.bucket,
    group: "[]",
    total: toTotal(row),
    approximate: false,
    ...readSaidKey(row.said),
  }));
}
