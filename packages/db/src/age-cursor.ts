import { and, eq, lt, or, type SQL } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";

/** Where a page ended in a list that is sorted by time, newest first; equal times are told apart by id. */
export interface AgeCursor {
  readonly created_at: number;
  readonly id: string;
}

/** What comes after a cursor; everything when there is none. */
export function olderThan(
  columns: { readonly created_at: SQLiteColumn; readonly id: SQLiteColumn },
  cursor: AgeCursor | undefined,
): SQL | undefined {
  if (cursor === undefined) return undefined;
  const { created_at, id } = columns;
  return or(lt(created_at, cursor.created_at), and(eq(created_at, cursor.created_at), lt(id, cursor.id)));
}
