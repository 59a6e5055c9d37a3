import { type SQL, sql } from "drizzle-orm";
import { type CustomerFilter, matches } from "./customers.ts";
import { prepare } from "./prepare.ts";
import type { RankingScope } from "./top-customers.ts";
import { limbsOf, type Reducible, toTotal } from "./total.ts";
import { type CounterPlan, TOTAL_VIEW, usageParts } from "./usage-parts.ts";

/** What customers are ordered by: what they used of a metric, or when they were last seen in some. */
export type ColumnScope =
  | (RankingScope<Reducible> & {
      readonly kind: "value";
      /** Whether totals below zero are shown, and ranked, as zero. */
      readonly clamp: boolean;
    })
  | { readonly kind: "last_seen_at"; readonly project_id: string; readonly counters: readonly CounterPlan[] };

export interface ColumnEntry {
  readonly customer_id: string;
  readonly value: bigint;
}

interface ColumnPage {
  readonly filter: CustomerFilter;
  readonly descending: boolean;
  /** Only what is as large. */
  readonly min: bigint | undefined;
  readonly after: ColumnEntry | undefined;
  readonly limit: number;
}

/** The next customers with a value, in its order; equals by their id. */
export async function orderByColumn(
  db: D1Database,
  scope: ColumnScope,
  { filter, descending, min, after, limit }: ColumnPage,
): Promise<readonly ColumnEntry[]> {
  const direction = descending ? sql`DESC` : sql`ASC`;
  const query = sql`
    WITH totals AS (${totals(scope)}), shown AS (
      SELECT customer_id, ${clamped(scope, sql`high`)} AS high, ${clamped(scope, sql`low`)} AS low FROM totals
    )
    SELECT t.customer_id, CAST(t.high AS TEXT) AS high, CAST(t.low AS TEXT) AS low
    FROM shown AS t CROSS JOIN customers AS c
    WHERE c.project_id = ${scope.project_id} AND c.customer_id = t.customer_id ${matches(filter)}
      ${min === undefined ? sql`` : sql`AND (t.high, t.low) >= ${limbs(min)}`}
      ${after === undefined ? sql`` : follows(after, descending)}
    ORDER BY t.high ${direction}, t.low ${direction}, t.customer_id
    LIMIT ${limit}`;
  const { results } = await prepare(db, query).all<{ customer_id: string; high: string; low: string }>();
  return results.map(({ customer_id, ...value }) => ({ customer_id, value: toTotal(value) }));
}

/** The next customers, by id, who have no value: those that are ordered are named, or found again where they are too many. */
export async function listWithout(
  db: D1Database,
  scope: ColumnScope,
  page: {
    readonly filter: CustomerFilter;
    readonly ordered: readonly string[] | null;
    readonly after: string;
    readonly limit: number;
  },
): Promise<readonly string[]> {
  const { filter, ordered, after, limit } = page;
  const others =
    ordered === null
      ? sql`SELECT customer_id FROM (${partsOf(scope)})`
      : sql`SELECT value FROM json_each(${JSON.stringify(ordered)})`;
  const query = sql`
    SELECT c.customer_id
    FROM customers AS c
    WHERE c.project_id = ${scope.project_id} AND c.customer_id > ${after} ${matches(filter)}
      AND c.customer_id NOT IN (${others})
    ORDER BY c.customer_id
    LIMIT ${limit}`;
  const { results } = await prepare(db, query).all<{ customer_id: string }>();
  return results.map(({ customer_id }) => customer_id);
}

/** Which of some customers a filter lets pass. */
export async function filterCustomers(
  db: D1Database,
  projectId: string,
  filter: CustomerFilter,
  customerIds: readonly string[],
): Promise<ReadonlySet<string>> {
  const query = sql`
    SELECT c.customer_id
    FROM json_each(${JSON.stringify(customerIds)}) AS k CROSS JOIN customers AS c
    WHERE c.project_id = ${projectId} AND c.customer_id = k.value ${matches(filter)}`;
  const { results } = await prepare(db, query).all<{ customer_id: string }>();
  return new Set(results.map(({ customer_id }) => customer_id));
}

/** When some customers were last seen on the days of some counters. */
export async function readLastSeen(
  db: D1Database,
  projectId: string,
  counters: readonly CounterPlan[],
  customerIds: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const parts = usageParts(
    { project_id: projectId, counters: counters.map(toWholeDays), customer_ids: customerIds },
    { aggregation: "max", view: TOTAL_VIEW },
  );
  const query = sql`SELECT customer_id, MAX(last_at) AS last_at FROM (${parts}) GROUP BY customer_id`;
  const { results } = await prepare(db, query).all<{ customer_id: string; last_at: number }>();
  return new Map(results.map(({ customer_id, last_at }) => [customer_id, last_at]));
}

function partsOf(scope: ColumnScope): SQL {
  const { project_id, counters } = scope;
  const view = TOTAL_VIEW;
  if (scope.kind === "value")
    return usageParts({ project_id, counters, customer_ids: null }, { aggregation: scope.aggregation, view });
  const whole = counters.map(toWholeDays);
  return usageParts({ project_id, counters: whole, customer_ids: null }, { aggregation: "max", view });
}

function totals(scope: ColumnScope): SQL {
  if (scope.kind === "last_seen_at")
    return sql`
      SELECT customer_id, MAX(last_at) >> 32 AS high, MAX(last_at) & 4294967295 AS low
      FROM (${partsOf(scope)}) GROUP BY customer_id`;
  const { high, low, said } = limbsOf(scope.aggregation);
  return sql`
    SELECT customer_id, ${high} AS high, ${low} AS low, ${said} AS said
    FROM (${partsOf(scope)}) GROUP BY customer_id`;
}

function clamped(scope: ColumnScope, column: SQL): SQL {
  return scope.kind === "value" && scope.clamp ? sql`IIF(high < 0, 0, ${column})` : column;
}

function follows({ customer_id, value }: ColumnEntry, descending: boolean): SQL {
  const at = limbs(value);
  return sql`AND (
    (t.high, t.low) ${descending ? sql`<` : sql`>`} ${at} OR ((t.high, t.low) = ${at} AND t.customer_id > ${customer_id})
  )`;
}

/** Both halves of a quantity, bound as text because they can be larger than a double holds. */
function limbs(value: bigint): SQL {
  const high = (value >> 32n).toString();
  const low = (value & 0xffff_ffffn).toString();
  return sql`(CAST(${high} AS INTEGER), CAST(${low} AS INTEGER))`;
}

/** A day of which a part is wanted, whole: when something was last seen is known of days alone. */
function toWholeDays({ counter_id, plan }: CounterPlan): CounterPlan {
  const cut = plan.cut.map(([day]) => [day, 0] as const);
  return { counter_id, plan: { whole: [...plan.whole, ...cut], cut: [] } };
}
