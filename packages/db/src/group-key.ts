import type { CounterView } from "@tidemark/core/usage-fold";
import { type SQL, sql } from "drizzle-orm";

/** What of a day is looked at, and how it is split. */
export type GroupView = Pick<CounterView, "labelIndexes" | "segment" | "only">;

/**
 * The chosen labels of the group `g`, an element of `u.groups`, as a JSON array. The path into the whole
 * column, and not the element's own text, so that SQLite reads each row's JSON once.
 */
export function groupKey({ labelIndexes }: GroupView): SQL {
  if (labelIndexes === null) return sql`'[]'`;
  return sql`json_array(${sql.join(labelIndexes.map(labelAt), sql`, `)})`;
}

/** Whether the group `g` is among what is looked at. */
export function groupFilter({ segment, only }: GroupView): SQL {
  const conditions = only.map(([index, value]) => sql`AND ${labelAt(index)} = ${value}`);
  if (segment !== null) conditions.push(sql`AND (u.groups ->> (g.fullkey || '.segments')) >> ${segment} & 1`);
  return sql.join(conditions, sql` `);
}

function labelAt(index: number): SQL {
  return index < 0 ? sql`''` : sql`COALESCE(u.groups ->> (g.fullkey || ${`.labels[${index}]`}), '')`;
}

/** One spelling: SQLite escapes some characters that JavaScript does not. */
export function readGroupKey(text: string): string {
  return JSON.stringify(JSON.parse(text));
}
