import { type SQL, sql } from "drizzle-orm";
import { prepare } from "./prepare.ts";
import { type Limbs, limbsOf, toTotal } from "./total.ts";
import { type CounterPlan, usageParts } from "./usage-parts.ts";

/** Some customers' usage of what adds up, split by one label. */
export interface LabelScope {
  readonly project_id: string;
  readonly customer_ids: readonly string[];
  readonly aggregation: "count" | "sum";
  /** Counters by where their label stands; -1 for those that lack it. */
  readonly counters: ReadonlyMap<number, readonly CounterPlan[]>;
}

/** What a customer used under a label. */
export interface LabelTotal {
  readonly customer_id: string;
  readonly label: string;
  readonly total: bigint;
}

/**
 * What each customer's usage is made of: its largest labels, at most `top` of them, and the rest together as
 * `rest`, so that the parts add up to the whole.
 */
export async function readHeavyLabels(
  db: D1Database,
  scope: LabelScope,
  { top, rest }: { readonly top: number; readonly rest: string },
): Promise<readonly LabelTotal[]> {
  const { high, low } = limbsOf(scope.aggregation);
  const query = sql`
    WITH totals AS (
      SELECT customer_id, label, ${high} AS high, ${low} AS low FROM (${labelParts(scope)}) GROUP BY customer_id, label
    ), placed AS (
      SELECT customer_id, label, high, low,
        ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY label = ${rest}, high DESC, low DESC, label) AS place
      FROM totals
    )
    SELECT customer_id, IIF(place > ${top}, ${rest}, label) AS label,
      CAST(SUM(high) + (SUM(low) >> 32) AS TEXT) AS high, CAST(SUM(low) & 4294967295 AS TEXT) AS low
    FROM placed
    GROUP BY customer_id, IIF(place > ${top}, ${rest}, label)`;
  return read(db, query);
}

/** What each customer used with a status of the classes 4xx and 5xx, the label being that status. */
export async function readErrorTotals(db: D1Database, scope: LabelScope): Promise<readonly LabelTotal[]> {
  const { high, low } = limbsOf(scope.aggregation);
  const query = sql`
    SELECT customer_id, SUBSTR(label, 1, 1) || 'xx' AS label, CAST(${high} AS TEXT) AS high, CAST(${low} AS TEXT) AS low
    FROM (${labelParts(scope)})
    WHERE label GLOB '[45][0-9][0-9]'
    GROUP BY customer_id, SUBSTR(label, 1, 1)`;
  return read(db, query);
}

async function read(db: D1Database, query: SQL): Promise<readonly LabelTotal[]> {
  const { results } = await prepare(db, query).all<Limbs & { customer_id: string; label: string }>();
  return results.map(({ customer_id, label, ...limbs }) => ({ customer_id, label, total: toTotal(limbs) }));
}

/** The parts of usage with their label. A metric has few labels, so there are few places where one can stand. */
function labelParts({ project_id, customer_ids, aggregation, counters }: LabelScope): SQL {
  const parts = Array.from(counters, ([index, plans]) => {
    const view = { labelIndexes: [index], segment: null, only: [] };
    return sql`
      SELECT customer_id, group_labels ->> 0 AS label, value
      FROM (${usageParts({ project_id, counters: plans, customer_ids }, { aggregation, view })})`;
  });
  return sql.join(parts, sql` UNION ALL `);
}
