import type { Rejection } from "@tidemark/core";
import { sql } from "drizzle-orm";
import { prepare } from "./prepare.ts";

/** Rejected events of one customer's day of one counter, for one reason. */
export interface RejectionRow extends Rejection {
  readonly metric_id: string;
  readonly customer_id: string;
  readonly day: number;
}

/** Which rejections to list. */
export interface RejectionQuestion {
  readonly project_id: string;
  /** UTC days of counters. */
  readonly days: readonly (readonly [counterId: string, day: number])[];
  /** `null`: every customer. */
  readonly customer_id: string | null;
  /** What the page before ended with. */
  readonly after: Pick<RejectionRow, "metric_id" | "customer_id" | "day" | "code"> | undefined;
  readonly limit: number;
}

/** Lists rejected events with their reasons, the newest day first. */
export async function listRejections(
  db: D1Database,
  { project_id, days, customer_id, after, limit }: RejectionQuestion,
): Promise<readonly RejectionRow[]> {
  const code = sql`(r.value ->> '$.code')`;
  const query = sql`
    SELECT u.metric_id, u.customer_id, u.day, r.value AS rejection
    FROM json_each(${JSON.stringify(days)}) AS d CROSS JOIN usage_days AS u CROSS JOIN json_each(u.rejections) AS r
    WHERE u.project_id = ${project_id} AND u.metric_id = d.value ->> 0 AND u.day = d.value ->> 1 AND u.rejected > 0
      ${customer_id === null ? sql`` : sql`AND u.customer_id = ${customer_id}`}
      ${
        after === undefined
          ? sql``
          : sql`AND (-u.day, u.metric_id, u.customer_id, ${code})
              > (${-after.day}, ${after.metric_id}, ${after.customer_id}, ${after.code})`
      }
    ORDER BY u.day DESC, u.metric_id, u.customer_id, ${code}
    LIMIT ${limit}`;
  const { results } = await prepare(db, query).all<Omit<RejectionRow, keyof Rejection> & { rejection: string }>();
  return results.map(({ rejection, ...place }) => ({ ...place, ...(JSON.parse(rejection) as Rejection) }));
}
