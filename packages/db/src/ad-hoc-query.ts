import type { DayPlan } from "@tidemark/core/day-plan";
import type { Said } from "@tidemark/core/said";
import type { DayRange } from "@tidemark/core/shown-days";
import { type SQL, sql } from "drizzle-orm";
import { readGroupKey } from "./group-key.ts";
import { prepare } from "./prepare.ts";
import { readSaidKey, SAID_KEY } from "./said-key.ts";
import { type Limbs, limbsOf, type Reducible, toTotal } from "./total.ts";

/** Counters that are looked at alike, and how. */
export interface CellView {
  /** Each with the days of the plan that are read of it. */
  readonly counters: readonly ({ readonly counter_id: string } & DayRange)[];
  /** Positions of the labels to group by, -1 for one that these versions lack. */
  readonly labels: readonly number[];
  /** Only events whose labels at these positions have one of these values. */
  readonly only: readonly (readonly [index: number, values: readonly string[]])[];
  /** Only events in the segment of this bit; `null` for all. */
  readonly segment: number | null;
  /** To group by segment: each one's bit, with what is added to the bucket; `null` not to. */
  readonly segments: readonly (readonly [bit: number, offset: number])[] | null;
}

export interface CellQuestion {
  readonly project_id: string;
  /** The buckets of each day. Where spans overlap, a day stands in it for each. */
  readonly plan: DayPlan;
  readonly views: readonly CellView[];
  /** `null`: every customer of the project. */
  readonly customer_ids: readonly string[] | null;
  readonly by_customer: boolean;
  /** A bucket is a cell's number times this, plus that of the day within it. */
  readonly days: number;
  /** At most so many cells are read. */
  readonly limit: number;
}

type Nullable<Row> = { readonly [Field in keyof Row]: Row[Field] | null };

interface CellPlace {
  /** "" when not grouped by customer. */
  readonly customer_id: string;
  readonly cell: number;
  /** The chosen labels as a JSON array. */
  readonly group: string;
}

/** What a metric comes to in a cell. */
export interface ValueCell extends CellPlace {
  /** Absent where all of it lies in days beyond 64 bits. */
  readonly total?: bigint;
  /** `latest` only: when it was said. */
  readonly said?: Said;
  /** Whether a day is beyond 64 bits, and left out. */
  readonly overflow: boolean;
}

/** What else is known of the events of a cell; 0 what was not counted. */
export interface EventsCell extends CellPlace {
  readonly events: number;
  readonly active_days: number;
  readonly customers: number;
  readonly rejected: number;
  readonly last_at: number | null;
}

/** A metric's cells, composed by the database; where nothing counted there is none. */
export async function readValues(
  db: D1Database,
  question: CellQuestion,
  aggregation: Reducible,
): Promise<readonly ValueCell[]> {
  const { high, low, said } = limbsOf(aggregation);
  // Only sums can leave 64 bits, and beside a MAX of its own the latest value would not be the latest.
  const isSum = aggregation === "count" || aggregation === "sum";
  const query = sql`
    SELECT ${place(question)}, CAST(${high} AS TEXT) AS high, CAST(${low} AS TEXT) AS low, ${said} AS said,
      ${isSum ? sql`MAX(overflow)` : sql`0`} AS overflow
    FROM (${parts(question, { isValue: true, byHour: aggregation === "latest" })})
    ${grouping(question)}`;
  const { results } = await prepare(db, query).all<
    CellPlace & Nullable<Limbs> & { said: string | null; overflow: number }
  >();
  return results.map((row) => {
    const { high: upper, low: lower, overflow } = row;
    const total = upper === null || lower === null ? {} : { total: toTotal({ high: upper, low: lower }) };
    return { ...toPlace(row), ...total, ...readSaidKey(row.said), overflow: overflow === 1 };
  });
}

/** The events of the same cells. Those of a plan that cuts days apart have neither `events` nor `rejected`. */
export async function readEvents(
  db: D1Database,
  question: CellQuestion,
  distinct: { readonly days: boolean; readonly customers: boolean },
): Promise<readonly EventsCell[]> {
  // To tell days or customers apart takes as long as everything else together.
  const countDistinct = (isWanted: boolean, what: SQL): SQL =>
    isWanted ? sql`COUNT(DISTINCT IIF(events > 0, ${what}, NULL))` : sql`0`;
  const query = sql`
    SELECT ${place(question)}, SUM(events) AS events, SUM(rejected) AS rejected, MAX(last_at) AS last_at,
      ${countDistinct(distinct.days, sql`bucket % CAST(${question.days} AS INTEGER)`)} AS active_days,
      ${countDistinct(distinct.customers, sql`customer_id`)} AS customers
    FROM (${parts(question, { isValue: false, byHour: false })})
    ${grouping(question)}`;
  const { results } = await prepare(db, query).all<EventsCell>();
  return results.map((row) => ({ ...row, ...toPlace(row) }));
}

function place({ by_customer, days }: CellQuestion): SQL {
  // A bound number is a double, and would divide as one.
  const cell = sql`bucket / CAST(${days} AS INTEGER)`;
  return sql`${by_customer ? sql`customer_id` : sql`''`} AS customer_id, ${cell} AS cell, group_labels AS "group"`;
}

function grouping({ by_customer, limit }: CellQuestion): SQL {
  return sql`GROUP BY ${by_customer ? sql`customer_id,` : sql``} cell, group_labels LIMIT ${limit}`;
}

function toPlace({ customer_id, cell, group }: CellPlace): CellPlace {
  return { customer_id, cell, group: readGroupKey(group) };
}

interface PartOptions {
  /** Whether quantities are read: of days in which something counted. Those beyond 64 bits have none. */
  readonly isValue: boolean;
  /** Whether whole days are taken apart too. */
  readonly byHour: boolean;
}

/** `customer_id, bucket, group_labels, value, overflow, said, events, rejected, last_at` of every day, or hour of a day. */
function parts(question: CellQuestion, options: PartOptions): SQL {
  const { whole, cut } = question.plan;
  const asWhole = { ...options, days: whole, bucket: sql`d.value ->> 1` };
  const asCut = { ...options, byHour: true, days: cut, bucket: sql`d.value ->> '$[1]' ->> CAST(h.key AS INTEGER)` };
  const selects = question.views.flatMap((view) =>
    [asWhole, asCut].filter(({ days }) => days.length > 0).map((part) => dayParts(question, view, part)),
  );
  return sql.join(selects, sql` UNION ALL `);
}

/** JSON has no infinite days. */
const DAY_MIN = -1_000_000;
const DAY_MAX = 1_000_000;

/** The loops run from the lists to the table, so that each step is a range of the primary key. */
function dayParts(
  { project_id, customer_ids }: CellQuestion,
  view: CellView,
  { isValue, byHour, days, bucket }: PartOptions & { readonly days: readonly unknown[]; readonly bucket: SQL },
): SQL {
  const counters = view.counters.map(({ counter_id, first, last }) => [
    counter_id,
    Math.max(first, DAY_MIN),
    Math.min(last, DAY_MAX),
  ]);
  const isSplit = isSplitView(view);
  const isOpened = isSplit || byHour;
  const ofGroup = (field: string): SQL => sql`u.groups ->> (g.fullkey || ${sql.raw(`'.${field}'`)})`;
  const value = byHour ? sql`h.value` : isSplit ? ofGroup("value") : sql`u.value`;
  return sql`
    SELECT u.customer_id, ${bucket} ${view.segments === null ? sql`` : sql`+ (s.value ->> 1)`} AS bucket,
      ${labelsOf(view)} AS group_labels, ${isValue ? sql`IIF(u.overflow, NULL, CAST(${value} AS INTEGER))` : sql`NULL`} AS value, u.overflow,
      ${isValue && byHour ? saidOf() : sql`NULL`} AS said,
      ${isOpened ? (byHour ? sql`1` : ofGroup("events")) : sql`u.events`} AS events,
      ${isOpened ? sql`0` : sql`u.rejected`} AS rejected, ${isOpened && isSplit ? sql`NULL` : sql`NULLIF(u.last_at, 0)`} AS last_at
    FROM json_each(${JSON.stringify(counters)}) AS k CROSS JOIN json_each(${JSON.stringify(days)}) AS d
    ${customer_ids === null ? sql`` : sql`CROSS JOIN json_each(${JSON.stringify(customer_ids)}) AS c`}
    CROSS JOIN usage_days AS u
    ${isOpened ? sql`CROSS JOIN json_each(u.groups) AS g` : sql``}
    ${byHour ? sql`CROSS JOIN json_each(u.groups, g.fullkey || '.hours') AS h` : sql``}
    ${view.segments === null ? sql`` : sql`CROSS JOIN json_each(${JSON.stringify(view.segments)}) AS s`}
    WHERE u.project_id = ${project_id} AND u.metric_id = k.value ->> 0 AND u.day = d.value ->> 0
      AND u.day BETWEEN k.value ->> 1 AND k.value ->> 2
      ${customer_ids === null ? sql`` : sql`AND u.customer_id = c.value`}
      ${isValue ? sql`AND u.events > 0` : sql``}
      ${byHour ? sql`AND ${bucket} IS NOT NULL` : sql``}
      ${conditions(view)}`;
}

/** Whether a day's groups have to be told apart. */
export function isSplitView({ labels, only, segment, segments }: CellView): boolean {
  return labels.length > 0 || only.length > 0 || segment !== null || segments !== null;
}

/** Absent but for `latest`. */
function saidOf(): SQL {
  return sql`IIF(u.groups ->> (g.fullkey || '.said') IS NULL, NULL, ${SAID_KEY})`;
}

function labelsOf({ labels }: CellView): SQL {
  return sql`json_array(${sql.join(labels.map(labelAt), sql`, `)})`;
}

function conditions({ only, segment, segments }: CellView): SQL {
  const bits = sql`COALESCE(u.groups ->> (g.fullkey || '.segments'), 0)`;
  const all = only.map(
    ([index, values]) => sql`AND ${labelAt(index)} IN (SELECT value FROM json_each(${JSON.stringify(values)}))`,
  );
  if (segment !== null) all.push(sql`AND (${bits} >> ${sql.raw(String(segment))}) & 1`);
  if (segments !== null) all.push(sql`AND (${bits} >> (s.value ->> 0)) & 1`);
  return sql.join(all, sql` `);
}

/** A position is a number of ours and not bound: a statement takes a hundred, and several versions have many labels. */
function labelAt(index: number): SQL {
  return index < 0 ? sql`''` : sql`COALESCE(u.groups ->> (g.fullkey || ${sql.raw(`'.labels[${index}]'`)}), '')`;
}

/** Days of counters, and whose. */
export interface DayCount {
  readonly project_id: string;
  /** One that is read several times stands in it as often. */
  readonly days: readonly (readonly [counterId: string, day: number])[];
  /** `null`: every customer of the project. */
  readonly customer_ids: readonly string[] | null;
}

/** How many rows those are, counted up to a limit. */
export async function countDays(
  db: D1Database,
  { project_id, days, customer_ids }: DayCount,
  limit: number,
): Promise<number> {
  const query = sql`
    SELECT COUNT(*) AS days FROM (
      SELECT 1 FROM json_each(${JSON.stringify(days)}) AS d
      ${customer_ids === null ? sql`` : sql`CROSS JOIN json_each(${JSON.stringify(customer_ids)}) AS c`}
      CROSS JOIN usage_days AS u
      WHERE u.project_id = ${project_id} AND u.metric_id = d.value ->> 0 AND u.day = d.value ->> 1
        ${customer_ids === null ? sql`` : sql`AND u.customer_id = c.value`}
      LIMIT ${limit}
    )`;
  const row = await prepare(db, query).first<{ days: number }>();
  return row?.days ?? 0;
}

/** The names of some customers; who has none is left out. */
export async function readNames(
  db: D1Database,
  projectId: string,
  customerIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const query = sql`
    SELECT c.customer_id, c.name
    FROM json_each(${JSON.stringify(customerIds)}) AS k CROSS JOIN customers AS c
    WHERE c.project_id = ${projectId} AND c.customer_id = k.value AND c.name IS NOT NULL`;
  const { results } = await prepare(db, query).all<{ customer_id: string; name: string }>();
  return new Map(results.map(({ customer_id, name }) => [customer_id, name]));
}
