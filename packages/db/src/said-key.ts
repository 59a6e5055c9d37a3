import type { Said } from "@tidemark/core/said";
import { type SQL, sql } from "drizzle-orm";

const DIGITS = 16;

/** When the value of hour `h` of the group `g` was said, as text that sorts like the time and then the tie. */
export const SAID_KEY: SQL = sql`
  format('%016d%016d', u.groups ->> (g.fullkey || '.said.' || h.key || '[0]'), u.groups ->> (g.fullkey || '.said.' || h.key || '[1]'))`;

/** Reads it back. */
export function readSaidKey(key: string | null): { readonly said?: Said } {
  return key === null ? {} : { said: [Number(key.slice(0, DIGITS)), Number(key.slice(DIGITS))] };
}
