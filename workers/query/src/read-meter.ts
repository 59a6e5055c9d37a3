import { MEMORY_DAYS, type MeterAddress, meterName, type ReadReply } from "@tidemark/contract";
import { METER_TIMEOUT_MS } from "@tidemark/contract/query-limits";
import { dayOf } from "@tidemark/core/timestamp";
import type { QueryEnv } from "./env.ts";

export interface LiveQuestion {
  readonly address: MeterAddress;
  readonly metric_ids: readonly string[];
  /** UTC days. */
  readonly first: number;
  readonly last: number;
}

/**
 * What a customer's meter knows now, of the days that can still change; older ones reached the database
 * long ago.
 *
 * @returns `undefined` when no such day is asked for, or when the meter failed or did not answer in time:
 * then the database has to do.
 */
export async function readMeter(env: QueryEnv, question: LiveQuestion, now: number): Promise<ReadReply | undefined> {
  const { address, metric_ids, last } = question;
  const first = Math.max(question.first, dayOf(now) - MEMORY_DAYS);
  if (first > last || metric_ids.length === 0) return undefined;
  let timer: ReturnType<typeof setTimeout> | null = null;
  try {
    const meter = env.METERS.get(env.METERS.idFromName(meterName(address.project_id, address.customer_id)));
    const reply = meter.read({ ...address, metric_ids, from_day: first, to_day: last });
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new Error(`the meter did not answer within ${METER_TIMEOUT_MS} ms`)),
        METER_TIMEOUT_MS,
      );
    });
    return await Promise.race([reply, timeout]);
  } catch (error) {
    console.warn(JSON.stringify({ at: "read-meter", error: String(error) }));
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}
