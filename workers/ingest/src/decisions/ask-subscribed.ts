import { type DecideRequest, type DefineReply, meterName } from "@tidemark/contract";
import { definitionId, type ProductDefinition, toSubscription } from "@tidemark/contract/subscribe";
import { toExactJson } from "@tidemark/core/exact-json";
import { registerCustomers } from "@tidemark/db/customer-registration";
import { readDefaultProduct } from "@tidemark/db/default-product";
import { writeDefinition } from "@tidemark/db/definitions";
import { readMetered } from "@tidemark/db/metered";
import { readProjectZone } from "@tidemark/db/project-zone";
import { askMeter, type Asking } from "./ask-meter.ts";

/** Projects that had no default product when it was looked for, until when that is believed. */
const none = new Map<string, number>();
const BELIEVED_MS = 10_000;
const PROJECTS_MAX = 1_000;

/**
 * Asks a customer's meter. A customer for whom nobody has ever set anything is subscribed to the project's
 * default product first, if it has one: from the database, once in the customer's life.
 *
 * @throws MeterAway; Problem for what the caller has to correct.
 */
export async function askSubscribed(asking: Asking, request: DecideRequest): ReturnType<typeof askMeter> {
  const reply = await askMeter(asking, request);
  if (reply.never_set !== true) return reply;
  try {
    if (!(await subscribeUnknown(asking, request))) return reply;
  } catch (error) {
    console.error(JSON.stringify({ at: "subscribe-unknown", project_id: request.project_id, error: String(error) }));
    return reply;
  }
  return askMeter(asking, request);
}

/** @returns whether the question can be asked again. */
async function subscribeUnknown({ env, context }: Asking, request: DecideRequest): Promise<boolean> {
  const { project_id, customer_id } = request;
  const now = Date.now();
  if ((none.get(project_id) ?? 0) > now) return false;
  const product = await readDefaultProduct(env.DB, project_id);
  const metricIds = product === undefined || product.metric_id === null ? [] : [product.metric_id];
  const [metered] = await readMetered(env.DB, project_id, metricIds, { customer_id, now });
  if (product === undefined || metered === undefined) {
    if (none.size >= PROJECTS_MAX) none.clear();
    none.set(project_id, now + BELIEVED_MS);
    return false;
  }
  const { id, slug } = product;
  const definition = JSON.parse(product.definition) as ProductDefinition;
  const read = toSubscription({ id, slug, definition }, metered.metric, {
    id: definitionId("sub", request, metered.metric.id, 0),
    anchor: Math.floor(now / 1000) * 1000,
    time_zone: await readProjectZone(env.DB, project_id),
  });
  if ("faults" in read) return false;
  const meter = env.METERS.get(env.METERS.idFromName(meterName(project_id, customer_id)));
  const address = { project_id, customer_id };
  const set = {
    ...address,
    kind: "set",
    definition: read.definition,
    metered,
    mode: "keep",
    replaces: null,
    only_new: true,
  } as const;
  const reply: DefineReply = await meter.define(set);
  if (reply.kind === "problem") return false;
  const row = {
    id: read.definition.id,
    metric_id: metered.metric.id,
    product_id: id,
    unavailable: read.definition.unavailable,
    version: reply.version,
    body: toExactJson(read.definition),
    created_at: reply.balance.created_at,
    ended_at: null,
  };
  const copy = () =>
    env.DB.batch([
      registerCustomers(env.DB, project_id, now, [{ customer_id, first_seen_at: now }]),
      writeDefinition(env.DB, address, row),
    ]);
  try {
    await copy();
  } catch (error) {
    // The meter has it, and decides; its copy is tried again while nobody waits.
    console.error(JSON.stringify({ at: "copy-definition", project_id, error: String(error) }));
    context.waitUntil(copyLater(copy));
  }
  return true;
}

/** Waits before the attempts to write a copy again, in milliseconds. */
const COPY_DELAYS_MS = [1_000, 5_000, 20_000];

async function copyLater(copy: () => Promise<unknown>): Promise<void> {
  for (const delay of COPY_DELAYS_MS) {
    await scheduler.wait(delay);
    try {
      await copy();
      return;
    } catch (error) {
      console.error(JSON.stringify({ at: "copy-definition", error: String(error) }));
    }
  }
}
