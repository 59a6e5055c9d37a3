import type { DayDigest } from "@tidemark/contract";
import { hash52, type UsageDay } from "@tidemark/core";
import { type StoredRow, toStoredRow } from "@tidemark/db/stored-rows";

/** A day as it should be in the database, in few bytes. */
export function digestOf(day: UsageDay): DayDigest {
  return { metric_id: day.metric_id, day: day.day, version: day.version, digest: digestRow(toStoredRow(day)) };
}

/** The same of a row that is there. */
export function digestRow(row: StoredRow): number {
  const { metric_id, day, version, value, events, rejected, last_at, groups, ids, rejections, overflow } = row;
  const fields = [metric_id, day, version, value, events, rejected, last_at, groups, ids, rejections, overflow];
  return hash52(JSON.stringify(fields));
}
