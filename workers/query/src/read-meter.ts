import { MEMORY_DAYS, type MeterAddress, meterName, type ReadReply } from "@tidemark/contract";
import { METER_TIMEOUT_MS } from "@tidemark/contract/query-limits";
import { dayOf } from "@tidemark/core/timestamp";
import type { QueryEnv } from "./env.ts";

export interface LiveQuestion {
  readonly address: MeterAddress;
  /** Counters. */
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
  const read = { ...address, metric_ids, from_day: first, to_day: last };
  // RPC's types make arrays of tuples.
  return (await askMeter(env, address, (meter) => meter.read(read))) as ReadReply | undefined;
}

type Meter = ReturnType<QueryEnv["METERS"]["get"]>;

/** Asks a customer's meter. @returns `undefined` when it failed or did not answer in time. */
export async function askMeter<Reply>(
  env: QueryEnv,
  { project_id, customer_id }: MeterAddress,
  ask: (meter: Meter) => Promise<Reply>,
): Promise<Reply | undefined> {
  let timer: ReturnType<typeof setTimeout> | null = null;
  try {
    const reply = ask(env.METERS.get(env.METERS.idFromName(meterName(project_id, customer_id))));
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new Error(`the meter did not answer within ${METER_TIMEOUT_MS} ms`)),
        METER_TIMEOUT_MS,
      );
    });
    return await Promise.race([reply, timeout]);
  } catch (error) {
    console.warn(JSON.stringify({ at: "ask-meter", error: String(error) }));
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}
