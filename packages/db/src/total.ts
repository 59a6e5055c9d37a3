import type { Aggregation } from "@tidemark/core";
import { type SQL, sql } from "drizzle-orm";

/** What the database can reduce to one number: all but ids. */
export type Reducible = Exclude<Aggregation, "unique">;

/**
 * Exact results over int64 columns. `SUM` fails when it leaves int64, which the usage of many customers
 * may; so the upper and the lower 32 bits are added on their own, and neither sum can overflow.
 */
export interface Limbs {
  readonly high: string;
  readonly low: string;
}

/** The upper and the lower half of what rows with a `value`, and for `latest` a `said`, come to. */
export function limbsOf(aggregation: Reducible): { readonly high: SQL; readonly low: SQL; readonly said: SQL } {
  switch (aggregation) {
    case "count":
    case "sum":
      return {
        high: sql`SUM(value >> 32) + (SUM(value & 4294967295) >> 32)`,
        low: sql`SUM(value & 4294967295) & 4294967295`,
        said: sql`NULL`,
      };
    case "max":
      return { high: sql`MAX(value) >> 32`, low: sql`MAX(value) & 4294967295`, said: sql`NULL` };
    case "min":
      return { high: sql`MIN(value) >> 32`, low: sql`MIN(value) & 4294967295`, said: sql`NULL` };
    case "latest":
      // Beside a single MAX, SQLite takes the other columns from the row that has it.
      return { high: sql`value >> 32`, low: sql`value & 4294967295`, said: sql`MAX(said)` };
  }
}

/** The same as columns. */
export function totalColumns(aggregation: Reducible): SQL {
  const { high, low, said } = limbsOf(aggregation);
  return sql`CAST(${high} AS TEXT) AS high, CAST(${low} AS TEXT) AS low, ${said} AS said`;
}

/** Puts the halves together. */
export function toTotal({ high, low }: Limbs): bigint {
  return (BigInt(high) << 32n) + BigInt(low);
}
