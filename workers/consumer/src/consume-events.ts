import { MESSAGE_BYTES_MAX, type QuarantineEntry, type RollupMessage, type TouchedCustomer } from "@tidemark/contract";
import { readCatalogVersion } from "@tidemark/db/catalog";
import { type Applied, applyBatches } from "./apply-batches.ts";
import { ArchiveWriter } from "./archive-events.ts";
import { catalogOf, type VersionedCatalog } from "./catalog-cache.ts";
import { CustomerBatch } from "./customer-batch.ts";
import { decodeEventMessage, readProjectId } from "./decode-message.ts";
import type { ConsumerEnv } from "./env.ts";
import { type RefusedEvent, toQuarantineEntries } from "./quarantine-entries.ts";
import { retryDelay } from "./retry-delay.ts";
import { teachMeters } from "./teach-meters.ts";

/**
 * Counts a batch of event messages. A message is acknowledged when its events are in the archive, the
 * meters of all its customers have committed, and what could not be counted is on its way to quarantine;
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
    // First the archive: whatever a meter has counted can be recounted from it.
    await archive.write(env.ARCHIVE, projectId);
    // A recount that began before this reads what has just been written; one that begins later finds it.
    if ((await readCatalogVersion(env.DB, projectId)) !== catalog.version) return { failed: indexes, unreadable };
    const applied = await applyBatches(env, batches);
    for (const result of applied) {
      if (!("error" in result)) continue;
      console.error(JSON.stringify({ at: "apply", project_id: projectId, error: String(result.error) }));
      for (const index of result.batch.messages) failed.add(index);
    }
    await sendFollowUps(env.ROLLUPS, projectId, applied, messages);
    await teachMeters(env, projectId, applied);
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
function groupByCustomer(messages: Messages, indexes: readonly number[], catalog: VersionedCatalog): Grouped {
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
        customer = new CustomerBatch(decoded.project_id, event.customer_id, catalog);
        open.set(event.customer_id, customer);
      }
      customer.add(event, decoded.received_at, { message: index, position });
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
  const refused: RefusedEvent[] = [];
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
    for (const index of reply.conflicts) refused.push({ reason: "conflict", ...batch.sourceOf(index) });
    for (const index of reply.forgotten) refused.push({ reason: "forgotten", ...batch.sourceOf(index) });
  }
  const entries = await toQuarantineEntries(refused, messages);
  const at = Date.now();
  const follow: RollupMessage[] = [
    ...inParts(touched, () => 100).map((customers): RollupMessage => ({
      kind: "touched",
      project_id: projectId,
      at,
      customers,
    })),
    ...inParts(entries, (entry) => entry.body.length * 3 + 1_000).map((part): RollupMessage => ({
      kind: "quarantine",
      project_id: projectId,
      entries: part,
    })),
  ];
  for (const message of follow) await rollups.send(JSON.stringify(message), { contentType: "text" });
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

/** Splits items so that each part's sizes stay within a message; an item above that goes alone. */
function inParts<Item>(items: readonly Item[], sizeOf: (item: Item) => number): readonly (readonly Item[])[] {
  const parts: Item[][] = [];
  let size = Infinity;
  for (const item of items) {
    size += sizeOf(item);
    if (size > MESSAGE_BYTES_MAX) {
      parts.push([]);
      size = sizeOf(item);
    }
    parts.at(-1)?.push(item);
  }
  return parts;
}
