import { DECISION_TIMEOUT_MS, type DecideReply, type DecideRequest, meterName } from "@tidemark/contract";
import { readMetered } from "@tidemark/db/metered";
import { Problem } from "@tidemark/http/problem";
import type { IngestEnv } from "../env.ts";
import { rememberUnavailable } from "./unavailable.ts";

/** The meter could not be reached, or did not answer in time: nobody knows whether it decided. */
export class MeterAway extends Error {}

/** What is needed to ask. */
export interface Asking {
  readonly env: IngestEnv;
  readonly context: Pick<ExecutionContext, "waitUntil">;
}

/**
 * Asks a customer's meter: one object call. A call that the platform says can be repeated is, once: every question
 * that counts has an id.
 *
 * @throws MeterAway; Problem for what the caller has to correct.
 */
export async function askMeter(
  { env, context }: Asking,
  request: DecideRequest,
): Promise<Exclude<DecideReply, { readonly kind: "problem" }>> {
  const reply = await callMeter(env, request);
  if (reply.wants_metrics !== undefined) context.waitUntil(teach(env, request, reply.wants_metrics));
  if (reply.unavailable !== undefined) rememberUnavailable(request, reply.unavailable);
  if (reply.kind !== "problem") return reply;
  const { code, detail, pointer } = reply;
  throw new Problem(code, detail, pointer === undefined ? {} : { errors: [{ pointer, code, detail }] });
}

async function callMeter(env: IngestEnv, request: DecideRequest): Promise<DecideReply> {
  try {
    return await inTime(callOnce(env, request));
  } catch (error) {
    if (!isRetryable(error)) throw away(error, request);
  }
  try {
    return await inTime(callOnce(env, request));
  } catch (error) {
    throw away(error, request);
  }
}

/** With a stub of its own: one that has failed goes on failing. */
async function callOnce(env: IngestEnv, request: DecideRequest): Promise<DecideReply> {
  const id = env.METERS.idFromName(meterName(request.project_id, request.customer_id));
  return env.METERS.get(id).decide(request);
}

function isRetryable(error: unknown): boolean {
  return typeof error === "object" && error !== null && "retryable" in error && error.retryable === true;
}

function away(error: unknown, { project_id, kind }: DecideRequest): MeterAway {
  console.error(JSON.stringify({ at: "ask-meter", project_id, kind, error: String(error) }));
  return new MeterAway("The customer's meter could not be reached.");
}

async function inTime<Reply>(call: Promise<Reply>): Promise<Reply> {
  let timer: number | null = null;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new MeterAway("The meter did not answer in time."));
    }, DECISION_TIMEOUT_MS);
  });
  try {
    return await Promise.race([call, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/** Tells the meter how its metrics are defined now, while nobody waits. It asks again if this fails. */
async function teach(env: IngestEnv, request: DecideRequest, metricIds: readonly string[]): Promise<void> {
  const { project_id, customer_id } = request;
  try {
    const metered = await readMetered(env.DB, project_id, metricIds, { customer_id, now: Date.now() });
    const meter = env.METERS.get(env.METERS.idFromName(meterName(project_id, customer_id)));
    await meter.learn({ project_id, customer_id }, metered, metricIds, request.catalog_version);
  } catch (error) {
    console.error(JSON.stringify({ at: "teach-meter", project_id, error: String(error) }));
  }
}
