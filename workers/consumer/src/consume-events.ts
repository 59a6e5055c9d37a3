import {
  EVENT_MESSAGE_END,
  eventMessageStart,
  type QuarantineEntry,
  type RollupMessage,
  type TouchedCustomer,
} from "@tidemark/contract";
import type { Catalog } from "@tidemark/core";
import { type Applied, applyBatches } from "./apply-batches.ts";
import { ArchiveWriter } from "./archive-events.ts";
import { catalogOf } from "./catalog-cache.ts";
import { CustomerBatch } from "./customer-batch.ts";
import { decodeEventMessage, readProjectId } from "./decode-message.ts";
import type { ConsumerEnv } from "./env.ts";
import { retryDelay } from "./retry-delay.ts";
import { sha256 } from "./sha256.ts";

/**
 * Counts a batch of event messages. A message is acknowledged when the meters of all its customers have
 * committed, its events are in the archive, and what could not be counted is on its way to quarantine;
 * otherwise it is tried again, and the meters know what they have seen.
 */
export async function consumeEvents(batch: MessageBatch<string>, env: ConsumerEnv): Promise<void> {
  const { messages } = batch;
  const projects = Map.groupBy(messages.keys(), (index) => readProjectId(messages[index]?.body));
  const failed = new Set<number>();
  const unreadable = [...(projects.get(undefined) ?? [])];
  projects.delete(undefined);
  for (const [projectId = "", indexes] of projects) {
    const outcome = await consumeProject(messages, indexes, projectId, env);
    for (const index of outcome.failed) failed.add(index);
    unreadable.push(...outcome.unreadable);
  }
  for (const index of await quarantineUnreadable(messages, unreadable, env)) failed.add(index);
  messages.forEach((message, index) => {
    if (failed.has(index)) message.retry(retryDelay(message.attempts));
    else message.ack();
  });
}

type Messages = readonly Message<string>[];

/** Indexes of messages that were not simply counted. */
interface Outcome {
  readonly failed: Iterable<number>;
  readonly unreadable: readonly number[];
}

async function consumeProject(
  messages: Messages,
  indexes: readonly number[],
  projectId: string,
  env: ConsumerEnv,
): Promise<Outcome> {
  const failed = new Set<number>();
  try {
    const catalog = await catalogOf(env.DB, projectId);
    const { batches, archive, unreadable } = groupByCustomer(messages, indexes, catalog);
    const [applied] = await Promise.all([applyBatches(env, batches), archive.write(env.ARCHIVE, projectId)]);
    for (const result of applied) {
      if (!("error" in result)) continue;
      console.error(JSON.stringify({ at: "apply", project_id: projectId, error: String(result.error) }));
      for (const index of result.batch.messages) failed.add(index);
    }
    await sendFollowUps(env.ROLLUPS, projectId, applied, messages);
    return { failed, unreadable };
  } catch (error) {
    console.error(
      JSON.stringify({ at: "consume-events", project_id: projectId, messages: indexes.length, error: String(error) }),
    );
    return { failed: indexes, unreadable: [] };
  }
}

interface Grouped {
  readonly batches: readonly CustomerBatch[];
  readonly archive: ArchiveWriter;
  readonly unreadable: readonly number[];
}

/** Decodes message by message, so that only columns and the messages' own text stay in memory. */
function groupByCustomer(messages: Messages, indexes: readonly number[], catalog: Catalog): Grouped {
  const open = new Map<string, CustomerBatch>();
  const full: CustomerBatch[] = [];
  const archive = new ArchiveWriter();
  const unreadable: number[] = [];
  for (const index of indexes) {
    const message = messages[index];
    const decoded = decodeEventMessage(message?.body);
    if (message === undefined || decoded === undefined) {
      unreadable.push(index);
      continue;
    }
    archive.add(message, decoded.received_at);
    for (let position = 0; position < decoded.events.length; position++) {
      const event = decoded.events[position];
      if (event === undefined) continue;
      let customer = open.get(event.customer_id);
      if (customer === undefined || customer.isFull) {
        if (customer !== undefined) full.push(customer);
        customer = new CustomerBatch(decoded.project_id, event.customer_id);
        open.set(event.customer_id, customer);
      }
      customer.add(event, decoded.received_at, index, position, catalog);
    }
  }
  return { batches: [...full, ...open.values()], archive, unreadable };
}

/** Tells the rollup queue who is new, which flushes to watch for, and what could not be counted. */
async function sendFollowUps(
  rollups: Queue<string>,
  projectId: string,
  applied: readonly Applied[],
  messages: Messages,
): Promise<void> {
  const touched: TouchedCustomer[] = [];
  const entries: QuarantineEntry[] = [];
  for (const result of applied) {
    if ("error" in result) continue;
    const { batch, reply } = result;
    if (reply.created || reply.watch !== null) {
      touched.push({
        customer_id: batch.customerId,
        first_seen_at: reply.created ? batch.firstAt : null,
        watch: reply.watch,
      });
    }
    for (const index of reply.conflicts) entries.push(await toEntry("conflict", index, batch, messages));
    for (const index of reply.forgotten) entries.push(await toEntry("forgotten", index, batch, messages));
  }
  const follow: RollupMessage[] = [
    ...inParts(touched, 500).map((customers): RollupMessage => ({
      kind: "touched",
      project_id: projectId,
      at: Date.now(),
      customers,
    })),
    ...entries.map((entry): RollupMessage => ({ kind: "quarantine", project_id: projectId, entries: [entry] })),
  ];
  for (const message of follow) await rollups.send(JSON.stringify(message), { contentType: "text" });
}

const DETAIL = {
  conflict: "The id is known with other content. The first one counted; this one did not.",
  forgotten: "The event is older than what the meter remembers, so nobody can tell whether it was counted before.",
} as const;

async function toEntry(
  reason: keyof typeof DETAIL,
  index: number,
  batch: CustomerBatch,
  messages: Messages,
): Promise<QuarantineEntry> {
  const source = batch.sourceOf(index);
  const message = decodeEventMessage(messages[source.message]?.body);
  const event = message?.events[source.position];
  if (message === undefined || event === undefined)
    throw new Error("A meter named an event that the batch does not have.");
  const body = eventMessageStart(message.project_id, message.received_at) + JSON.stringify(event) + EVENT_MESSAGE_END;
  return {
    id: (await sha256(`${reason} ${body}`)).slice(0, 32),
    reason,
    detail: DETAIL[reason],
    customer_id: event.customer_id,
    at: Date.now(),
    body,
  };
}

/** @returns the indexes of those that could not be kept aside either. */
async function quarantineUnreadable(
  messages: Messages,
  indexes: readonly number[],
  env: ConsumerEnv,
): Promise<readonly number[]> {
  const failed: number[] = [];
  for (const index of indexes) {
    const message = messages[index];
    if (message === undefined) continue;
    const entry: QuarantineEntry = {
      id: message.id,
      reason: "unreadable",
      detail: "The message in the event queue is not one of ours.",
      customer_id: null,
      at: Date.now(),
      body: typeof message.body === "string" ? message.body : JSON.stringify(message.body),
    };
    try {
      const rollup: RollupMessage = { kind: "quarantine", project_id: "", entries: [entry] };
      await env.ROLLUPS.send(JSON.stringify(rollup), { contentType: "text" });
    } catch {
      failed.push(index);
    }
  }
  return failed;
}

function inParts<Item>(items: readonly Item[], size: number): readonly (readonly Item[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, part) =>
    items.slice(part * size, (part + 1) * size),
  );
}
