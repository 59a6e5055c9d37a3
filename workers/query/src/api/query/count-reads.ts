import {
  FOLDED_DAYS_MAX,
  QUERY_DAYS_MAX,
  QUERY_HOURLY_DAYS_MAX,
  QUERY_SPLIT_DAYS_MAX,
} from "@tidemark/contract/query-limits";
import { countDays, type DayCount } from "@tidemark/db/ad-hoc-query";
import { invalid } from "../../plumbing/issues.ts";

/** How a customer's day is read: as one figure, taken apart into labels or segments, into hours, or for its ids. */
export type DayRead = "whole" | "split" | "hourly" | "ids";

export type CounterDay = DayCount["days"][number];

export interface DayReads {
  readonly project_id: string;
  /** `null`: every customer of the project. */
  readonly customer_ids: readonly string[] | null;
  readonly days: Readonly<Partial<Record<DayRead, readonly CounterDay[]>>>;
}

/**
 * Counts the customers' days that would be read: a range of the primary key for each day, and no further than one
 * answer may read.
 *
 * @throws Problem invalid_request where they are more, at a pointer and with what to do.
 */
export async function countReads(
  db: D1Database,
  { project_id, customer_ids, days }: DayReads,
  { pointer, remedy }: { readonly pointer: string; readonly remedy: string },
): Promise<number> {
  const counts = await Promise.all(
    LIMITS.map(async ([read, max, how]) => {
      const own = days[read] ?? [];
      if (own.length === 0) return 0;
      const count = await countDays(db, { project_id, days: own, customer_ids }, max + 1);
      if (count <= max) return count;
      const detail = `Would read more than ${max} days of customers${how}. ${remedy}`;
      throw invalid([{ pointer, code: "too_many_rows", detail }]);
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

const LIMITS: readonly (readonly [read: DayRead, max: number, how: string])[] = [
  ["whole", QUERY_DAYS_MAX, ""],
  ["split", QUERY_SPLIT_DAYS_MAX, " and take each apart into labels or segments"],
  ["hourly", QUERY_HOURLY_DAYS_MAX, " hour by hour, which days of UTC do not need"],
  ["ids", FOLDED_DAYS_MAX, " and unite the ids of each"],
];
