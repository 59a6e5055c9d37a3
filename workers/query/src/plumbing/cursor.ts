import { Problem } from "@tidemark/http/problem";

/** What a list goes on after: the sort key of the last row of a page. */
export type Cursor = readonly (string | number)[];

/** Rows of a page and where the next begins. */
export interface Page<Row> {
  readonly rows: readonly Row[];
  readonly next_cursor: string | null;
}

/**
 * Cuts a page from rows that were read with one too many.
 *
 * @param list what the cursor is good for: a cursor of another list is refused.
 */
export function toPage<Row>(rows: readonly Row[], limit: number, list: string, keyOf: (row: Row) => Cursor): Page<Row> {
  const last = rows[limit - 1];
  if (rows.length <= limit || last === undefined) return { rows, next_cursor: null };
  return { rows: rows.slice(0, limit), next_cursor: writeCursor(list, keyOf(last)) };
}

/** A sort key as opaque text. */
function writeCursor(list: string, key: Cursor): string {
  const bytes = new TextEncoder().encode(JSON.stringify([list, ...key]));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

/**
 * Reads a sort key back.
 *
 * @param types the types of its parts.
 * @throws Problem invalid_cursor.
 */
export function readCursor(
  text: string | undefined,
  list: string,
  types: readonly ("string" | "number")[],
): Cursor | undefined {
  if (text === undefined) return undefined;
  const [kind, ...key] = decode(text);
  if (kind !== list || key.length !== types.length || key.some((part, at) => typeof part !== types[at]))
    throw notOurs();
  return key as Cursor;
}

/** The cursor of a list that is sorted by time, newest first. */
export function readAgeCursor(
  text: string | undefined,
  list: string,
): { readonly created_at: number; readonly id: string } | undefined {
  const [created_at, id] = readCursor(text, list, ["number", "string"]) ?? [];
  return created_at === undefined ? undefined : { created_at: Number(created_at), id: String(id) };
}

function decode(text: string): readonly unknown[] {
  try {
    const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (character) =>
      character.charCodeAt(0),
    );
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
    if (Array.isArray(value)) return value;
  } catch {
    // Whatever it was, it is not a cursor.
  }
  throw notOurs();
}

function notOurs(): Problem {
  return new Problem("invalid_cursor", "This list has not given out this cursor.");
}
