import type { DayDigest, JobDifference, MeterAddress } from "@tidemark/contract";
import { readStoredRows } from "@tidemark/db/stored-rows";
import { digestRow } from "../digest-of.ts";

/** A change this recent may be on its way to the database: versions are times, in milliseconds. */
const ON_ITS_WAY_MS = 20 * 60_000;

/** A row that is missing, old, or says something else. */
export type StoredDifference = JobDifference & { readonly metric_id: string; readonly day: number };

/** Holds what a meter says against what the database has of the same days. */
export async function compareStored(
  db: D1Database,
  { project_id, customer_id }: MeterAddress,
  digests: readonly DayDigest[],
): Promise<{ readonly pending: number; readonly differences: readonly StoredDifference[] }> {
  const rows = await readStoredRows(db, { project_id, customer_id }, digests);
  const stored = new Map(rows.map((row) => [`${row.day} ${row.metric_id}`, row]));
  const now = Date.now();
  let pending = 0;
  const differences: StoredDifference[] = [];
  for (const { metric_id, day, version, digest } of digests) {
    const row = stored.get(`${day} ${metric_id}`);
    const differ = (detail: string): number =>
      differences.push({ customer_id, metric_id, day, with: "database", detail });
    if (row !== undefined && row.version === version) {
      if (digestRow(row) !== digest) differ("The database has other figures of the same version.");
    } else if (row !== undefined && row.version > version) differ("The database has a later version than the meter.");
    else if (version > now - ON_ITS_WAY_MS) pending++;
    else differ(row === undefined ? "The database does not have this day." : "The database has an older version.");
  }
  return { pending, differences };
}
