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
import { decodeEventMessage } from "./decode-message.ts";
import type { ConsumerEnv } from "./env.ts";
import { retryDelay } from "./retry-delay.ts";
import { sha256 } from "./sha256.ts";

type Outcome = "done" | "failed";

/**
 * Counts a batch of event messages. A message is acknowledged when the meters of all its customers have
 * committed, its events are in the archive, and what could not be counted is on its way to quarantine;
 * otherwise it is tried again, and the meters know what they have seen.
 */
export async function consumeEvents(batch: MessageBatch<string>, env: ConsumerEnv): Promise<void> {
  const outcomes: Outcome[] = batch.messages.map(() => "done");
  const projects = new Map<string, number[]>();
  const unreadable: number[] = [];
  batch.messages.forEach((message, index) => {
    const projectId = decodeEventMessage(message.body)?.project_id;
    if (projectId === undefined) unreadable.push(index);
    else projects.set(projectId, [...(projects.get(projectId) ?? []), index]);
  });

  const work = Array.from(projects, ([projectId, indexes]) =>
    consumeProject(batch.messages, indexes, projectId, env, outcomes),
  );
  await Promise.all([...work, quarantineUnreadable(batch.messages, unreadable, env, outcomes)]);
  batch.messages.forEach((message, index) => {
    if (outcomes[index] === "done") message.ack();
    else message.retry(retryDelay(message.attempts));
  });
}

type Messages = readonly Message<string>[];

async function consumeProject(
  messages: Messages,
  indexes: readonly number[],
  projectId: string,
  env: ConsumerEnv,
  outcomes: Outcome[],
): Promise<void> {
  const failAll = (error: unknown): void => {
    console.error(
      JSON.stringify({ at: "consume-events", project_id: projectId, messages: indexes.length, error: String(error) }),
    );
    for (const index of indexes) outcomes[index] = "failed";
  };
  try {
    const catalog = await catalogOf(env.DB, projectId);
    const archive = new ArchiveWriter();
    const batches = groupByCustomer(messages, indexes, catalog, archive);
    const [applied] = await Promise.all([applyBatches(env, batches), archive.write(env.ARCHIVE, projectId)]);
    for (const result of applied) {
      if (!("error" in result)) continue;
      console.error(JSON.stringify({ at: "apply", project_id: projectId, error: String(result.error) }));
      for (const index of result.batch.messages) outcomes[index] = "failed";
    }
    await sendFollowUps(env.ROLLUPS, projectId, applied, messages);
  } catch (error) {
    failAll(error);
  }
}

/** Decodes message by message, so that only columns and archive lines stay in memory. */
function groupByCustomer(
  messages: Messages,
  indexes: readonly number[],
  catalog: Catalog,
  archive: ArchiveWriter,
): readonly CustomerBatch[] {
  const open = new Map<string, CustomerBatch>();
  const full: CustomerBatch[] = [];
  for (const index of indexes) {
    const message = messages[index];
    const decoded = decodeEventMessage(message?.body);
    if (message === undefined || decoded === undefined) continue;
    archive.add(message.id, decoded.received_at, decoded.events);
    decoded.events.forEach((event, position) => {
      let customer = open.get(event.customer_id);
      if (customer === undefined || customer.isFull) {
        if (customer !== undefined) full.push(customer);
        customer = new CustomerBatch(decoded.project_id, event.customer_id);
        open.set(event.customer_id, customer);
      }
      customer.add(event, decoded.received_at, { message: index, event: position }, catalog);
    });
  }
  return [...full, ...open.values()];
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
  const message = decodeEventMessage(messages[source?.message ?? -1]?.body);
  const event = message?.events[source?.event ?? -1];
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

async function quarantineUnreadable(
  messages: Messages,
  indexes: readonly number[],
  env: ConsumerEnv,
  outcomes: Outcome[],
): Promise<void> {
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
      outcomes[index] = "failed";
    }
  }
}

function inParts<Item>(items: readonly Item[], size: number): readonly (readonly Item[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, part) =>
    items.slice(part * size, (part + 1) * size),
  );
}
