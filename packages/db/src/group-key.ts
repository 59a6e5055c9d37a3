import { type SQL, sql } from "drizzle-orm";

/**
 * The chosen labels of the group `g`, an element of `u.groups`, as a JSON array. The path into the whole
 * column, and not the element's own text, so that SQLite reads each row's JSON once.
 */
export function groupKey(labelIndexes: readonly number[]): SQL {
  const labels = labelIndexes.map((index) => sql`COALESCE(u.groups ->> (g.fullkey || ${`.labels[${index}]`}), '')`);
  return sql`json_array(${sql.join(labels, sql`, `)})`;
}

/** One spelling: SQLite escapes some characters that JavaScript does not. */
export function readGroupKey(text: string): string {
  return JSON.stringify(JSON.parse(text));
}
