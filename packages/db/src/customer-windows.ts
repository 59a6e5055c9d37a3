import type { ChangeRule } from "@tidemark/core/report-rules";
import { type SQL, sql } from "drizzle-orm";
import { prepare } from "./prepare.ts";
import { lastAt, type RankingScope } from "./top-customers.ts";
import { type Limbs, limbsOf, type Reducible, toTotal } from "./total.ts";
import { TOTAL_VIEW, usageParts } from "./usage-parts.ts";

/** The buckets of a plan that compares two periods: the one before, this one, and what has followed since. */
export const COMPARED = { previous: 0, current: 1, since: 2 } as const;

/** A customer whose usage changed from one period to the next. */
export interface ChangedCustomer {
  readonly customer_id: string;
  /** `undefined`: nothing counted in this period. */
  readonly value: bigint | undefined;
  readonly previous: bigint;
  /** The latest counted event of all three buckets. */
  readonly last_at: number;
}

export interface ChangedCustomers {
  /** Those beyond the limit as well. */
  readonly count: number;
  readonly customers: readonly ChangedCustomer[];
}

interface ChangeOptions {
  readonly limit: number;
  /** Whether totals below zero count as zero. */
  readonly clamp: boolean;
}

/**
 * The customers whose usage changed as a rule says, by a plan into `COMPARED`: the largest change first, equals by
 * what was used before, the most first, and then by id. All customers are composed and judged here, in one pass,
 * exactly; only the order of changes that differ by less than 15 digits show is a float's.
 */
export async function readChangedCustomers(
  db: D1Database,
  scope: RankingScope<Reducible>,
  rule: ChangeRule,
  { limit, clamp }: ChangeOptions,
): Promise<ChangedCustomers> {
  const { aggregation } = scope;
  const parts = usageParts({ ...scope, customer_ids: null }, { aggregation, view: TOTAL_VIEW });
  const { high, low, said } = limbsOf(aggregation);
  const isBelowZero = clamp ? sql`high < 0` : sql`FALSE`;
  const query = sql`
    WITH totals AS (
      SELECT customer_id, bucket, ${lastAt(aggregation)} AS last_at, ${high} AS high, ${low} AS low, ${said} AS said
      FROM (${parts})
      GROUP BY customer_id, bucket
    ), compared AS (
      SELECT customer_id, MAX(last_at) AS last_at,
        ${inBucket("current", sql`high`)} AS high, ${inBucket("current", sql`low`)} AS low,
        ${inBucket("previous", sql`high`)} AS high_before, ${inBucket("previous", sql`low`)} AS low_before
      FROM totals
      GROUP BY customer_id
    ), counted AS (
      SELECT customer_id, last_at, high, low, high_before, low_before,
        IIF(high IS NULL OR ${isBelowZero}, 0, high) AS used_high, IIF(low IS NULL OR ${isBelowZero}, 0, low) AS used_low
      FROM compared
      WHERE high_before > 0 OR (high_before = 0 AND low_before > 0)
    ), difference AS (
      SELECT customer_id, last_at, high, low, high_before, low_before,
        used_high * 100 - high_before * ${rule.percent} AS d_high, used_low * 100 - low_before * ${rule.percent} AS d_low,
        (used_high * ${LIMB} + used_low) / (high_before * ${LIMB} + low_before) AS ratio
      FROM counted
    )
    SELECT customer_id, last_at, CAST(high AS TEXT) AS high, CAST(low AS TEXT) AS low,
      CAST(high_before AS TEXT) AS high_before, CAST(low_before AS TEXT) AS low_before, COUNT(*) OVER () AS count
    FROM difference AS d
    WHERE ${meets(rule)}
    ORDER BY ratio ${rule.side === "above" ? sql`DESC` : sql`ASC`}, d.high_before DESC, d.low_before DESC, customer_id
    LIMIT ${limit}`;
  const { results } = await prepare(db, query).all<Row>();
  return { count: results[0]?.count ?? 0, customers: results.map(toChangedCustomer) };
}

interface Row {
  readonly customer_id: string;
  readonly last_at: number;
  readonly high: string | null;
  readonly low: string | null;
  readonly high_before: string;
  readonly low_before: string;
  readonly count: number;
}

function toChangedCustomer({ customer_id, last_at, high, low, high_before, low_before }: Row): ChangedCustomer {
  const own: Limbs | undefined = high === null || low === null ? undefined : { high, low };
  return {
    customer_id,
    last_at,
    value: own === undefined ? undefined : toTotal(own),
    previous: toTotal({ high: high_before, low: low_before }),
  };
}

/** What the lower limb overflows into the upper one, as a float. */
const LIMB = sql`4294967296.0`;

function inBucket(bucket: keyof typeof COMPARED, column: SQL): SQL {
  return sql`MAX(IIF(bucket = ${COMPARED[bucket]}, ${column}, NULL))`;
}

/** The sign of a difference whose limbs are not normalised: the lower one is carried first. */
function meets({ side }: ChangeRule): SQL {
  const high = sql`d_high + (d_low >> 32)`;
  return side === "above" ? sql`(${high} > 0 OR (${high} = 0 AND d_low & 4294967295 > 0))` : sql`${high} < 0`;
}
