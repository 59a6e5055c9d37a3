import type { NotifyMessage, RollupMessage } from "@tidemark/contract";
import { registerCustomers } from "@tidemark/db/customer-registration";
import { insertNearLimits } from "@tidemark/db/near-limits";
import { insertNotices } from "@tidemark/db/notices";
import { insertQuarantine } from "@tidemark/db/quarantine-entries";
import { type CustomerDays, writeUsageDays } from "@tidemark/db/rollups";
import { markUsage } from "@tidemark/db/usage-marks";
import { insertWatches } from "@tidemark/db/watches";
import type { ConsumerEnv } from "./env.ts";
import { retryDelay } from "./retry-delay.ts";

/** Attempts after which a batch is taken apart, so that one message that cannot be written holds up no other. */
const TOGETHER_ATTEMPTS_MAX = 3;

/**
 * Writes what meters and the event consumer sent: many objects' rows in one D1 batch. Everything is
 * absolute or idempotent, so the whole batch can be tried again when any of it fails.
 */
export async function consumeRollups(batch: MessageBatch<string>, env: ConsumerEnv): Promise<void> {
  const apart = batch.messages.some((message) => message.attempts > TOGETHER_ATTEMPTS_MAX);
  const groups = apart ? batch.messages.map((message) => [message]) : [batch.messages];
  for (const messages of groups) {
    try {
      await writeRollups(messages, env);
      for (const message of messages) message.ack();
    } catch (error) {
      console.error(JSON.stringify({ at: "consume-rollups", messages: messages.length, error: String(error) }));
      for (const message of messages) message.retry(retryDelay(message.attempts));
    }
  }
}

async function writeRollups(messages: readonly Message<string>[], env: ConsumerEnv): Promise<void> {
  const usage: CustomerDays[] = [];
  const others: D1PreparedStatement[] = [];
  const notify: NotifyMessage[] = [];
  for (const { id, body } of messages) {
    const message = JSON.parse(body) as RollupMessage;
    if (message.kind === "usage") usage.push(message);
    else others.push(...toStatements(env.DB, id, message));
    if (message.kind === "notices") {
      const { project_id, notices } = message;
      notify.push({ kind: "notify", project_id, notice_ids: notices.map((notice) => notice.id) });
    }
  }
  await writeUsageDays(env.DB, usage);
  if (others.length > 0) await env.DB.batch(others);
  // What is stored is handed on; where that fails, all of it is done again.
  for (const message of notify) await env.NOTIFICATIONS.send(JSON.stringify(message), { contentType: "text" });
}

function toStatements(
  db: D1Database,
  messageId: string,
  message: Exclude<RollupMessage, { kind: "usage" }>,
): D1PreparedStatement[] {
  if (message.kind === "quarantine")
    return message.entries.map((entry) => insertQuarantine(db, message.project_id, entry));
  if (message.kind === "near_limits")
    return [insertNearLimits(db, message), markUsage(db, [message.project_id], Date.now())];
  if (message.kind === "notices") return [insertNotices(db, message.project_id, message.customer_id, message.notices)];
  const statements: D1PreparedStatement[] = [];
  const created = message.customers.flatMap(({ customer_id, first_seen_at }) =>
    first_seen_at === null ? [] : [{ customer_id, first_seen_at }],
  );
  if (created.length > 0) statements.push(registerCustomers(db, message.project_id, message.at, created));
  const watches = message.customers.flatMap(({ customer_id, watch }) =>
    watch === null ? [] : [{ customer_id, ...watch }],
  );
  if (watches.length > 0) {
    // One row for all: it is looked at when the last of them is due.
    const due_at = Math.max(...watches.map((watch) => watch.due_at));
    statements.push(insertWatches(db, { due_at, id: messageId, project_id: message.project_id, watches }));
  }
  return statements;
}
