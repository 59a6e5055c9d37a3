import type { UsageDay } from "@tidemark/core";
import { type SQL, sql } from "drizzle-orm";
import { prepare } from "./prepare.ts";

/** A stored day. Quantities are exact, also where they are beyond what the database can add up. */
export interface StoredDay extends Omit<UsageDay, "aggregation"> {
  readonly customer_id: string;
  /** Whether it is beyond 64 bits. */
  readonly overflow: boolean;
}

/** One row to read. */
export interface DayLookup {
  readonly customer_id: string;
  readonly counter_id: string;
  readonly day: number;
  /** Whether its groups are needed; otherwise they come back empty. */
  readonly groups: boolean;
}

/** Days that were read together. */
export interface DayPage {
  readonly days: readonly StoredDay[];
  /** Characters of their groups and ids. */
  readonly length: number;
}

/** So much text is read at once, or one unit. */
const PAGE_LENGTH = 8_000_000;
/** Rows of a page, as a start where rows can be large, and at most. */
const FIRST_ROWS = 100;
const ROWS_MAX = 5_000;

/**
 * Looks days up by their keys, in pages whose size follows that of the rows.
 *
 * @param units rows that have to be on one page.
 * @param ids whether the ids of distinct counts are needed.
 */
export async function* readDays(
  db: D1Database,
  projectId: string,
  units: readonly (readonly DayLookup[])[],
  ids: boolean,
): AsyncGenerator<DayPage> {
  let rowsMax = ids || units.some((unit) => unit.some(({ groups }) => groups)) ? FIRST_ROWS : ROWS_MAX;
  for (let at = 0; at < units.length;) {
    const page: DayLookup[] = [];
    for (; at < units.length && (page.length === 0 || page.length + (units[at]?.length ?? 0) <= rowsMax); at++) {
      page.push(...(units[at] ?? []));
    }
    const keys = page.map(({ counter_id, day, customer_id, groups }) => [counter_id, day, customer_id, groups ? 1 : 0]);
    const query = sql`
      SELECT ${columns(sql`k.value ->> 3`, ids)}
      FROM json_each(${JSON.stringify(keys)}) AS k CROSS JOIN usage_days AS u
      WHERE u.project_id = ${projectId} AND u.metric_id = k.value ->> 0 AND u.day = k.value ->> 1
        AND u.customer_id = k.value ->> 2`;
    const { results } = await prepare(db, query).all<Row>();
    const read = toPage(results);
    rowsMax = nextSize(read, page.length);
    yield read;
  }
}

/** Which days of all customers to read. */
export interface DayScan {
  readonly project_id: string;
  readonly counter_id: string;
  /** UTC days, both included. */
  readonly first: number;
  readonly last: number;
  readonly groups: boolean;
}

/** Reads the days of all customers in which something counted, with the ids of distinct counts, in such pages. */
export async function* scanDays(db: D1Database, scan: DayScan): AsyncGenerator<DayPage> {
  let rowsMax = FIRST_ROWS;
  let last: readonly [day: number, customerId: string] = [scan.first, ""];
  for (let isLast = false; !isLast;) {
    const query = sql`
      SELECT ${columns(scan.groups ? sql`1` : sql`0`, true)}
      FROM usage_days AS u
      WHERE u.project_id = ${scan.project_id} AND u.metric_id = ${scan.counter_id}
        AND (u.day, u.customer_id) > (${last[0]}, ${last[1]}) AND u.day <= ${scan.last} AND u.events > 0
      ORDER BY u.day, u.customer_id
      LIMIT ${rowsMax}`;
    const { results } = await prepare(db, query).all<Row>();
    const read = toPage(results);
    yield read;
    const end = results.at(-1);
    if (end !== undefined) last = [end.day, end.customer_id];
    isLast = results.length < rowsMax;
    rowsMax = nextSize(read, results.length);
  }
}

function columns(groups: SQL, ids: boolean): SQL {
  return sql`
    u.metric_id, u.customer_id, u.day, u.version, CAST(u.value AS TEXT) AS value, u.events, u.rejected, u.last_at,
    IIF(${groups} OR u.overflow, u.groups, '[]') AS groups, ${ids ? sql`u.ids` : sql`NULL`} AS ids, u.overflow`;
}

interface Row extends Omit<StoredDay, "groups" | "ids" | "rejections" | "overflow"> {
  readonly groups: string;
  readonly ids: string | null;
  readonly overflow: number;
}

function toStoredDay({ groups: groupsText, ids, overflow, ...day }: Row): StoredDay {
  const groups = JSON.parse(groupsText) as UsageDay["groups"];
  return {
    ...day,
    value: overflow === 0 ? day.value : groups.reduce((sum, { value }) => sum + BigInt(value), 0n).toString(),
    groups,
    ...(ids === null ? {} : { ids: JSON.parse(ids) as NonNullable<UsageDay["ids"]> }),
    overflow: overflow === 1,
  };
}

function toPage(rows: readonly Row[]): DayPage {
  const length = rows.reduce((sum, { groups, ids }) => sum + groups.length + (ids?.length ?? 0), 0);
  return { days: rows.map(toStoredDay), length };
}

/** How many rows like those of a page are the next. */
function nextSize({ length }: DayPage, asked: number): number {
  return Math.min(Math.max(Math.floor((PAGE_LENGTH * asked) / Math.max(length, 1)), 1), ROWS_MAX);
}
