import type { DeliverMessage } from "@tidemark/contract";
import { failWaiting, findWaiting, listDueOf, type WaitingDelivery } from "@tidemark/db/attempts";
import { type DestinationRow, findDestination } from "@tidemark/db/destinations";
import type { ConsumerEnv } from "../env.ts";
import { openAddress, openSecrets } from "./open-destination.ts";
import { TURN_MS } from "./pause-after.ts";
import { type Attempt, post, unsent } from "./post.ts";
import { postToChannel } from "./post-to-channel.ts";
import { recordOutcome } from "./record-outcome.ts";
import { sendLater } from "./send-later.ts";
import { takeTurn } from "./take-turn.ts";
import { toNotice } from "./to-notice.ts";
import { toWebhookRequest } from "./webhook-request.ts";

/**
 * Attempts a delivery, if it still waits for this attempt and its time has come. A message to a channel stands for all
 * that went with its delivery: where that one has moved on, the others may still wait.
 */
export async function deliver(env: ConsumerEnv, message: DeliverMessage): Promise<void> {
  const { DB } = env;
  const { project_id, destination_id, delivery_id } = message;
  const now = Date.now();
  const destination = await findDestination(DB, { project_id, id: destination_id });
  if (destination === undefined || destination.disabled_at !== null)
    return failWaiting(DB, project_id, delivery_id, now);
  const next = (await findMeant(DB, message)) ?? (await findOther(DB, destination, now));
  if (next === undefined) return;
  const dueAt = Math.max(next.next_at, destination.next_at);
  if (dueAt > now) return sendLater(env, message, dueAt - now);
  const held = await takeTurn(env, destination, now);
  if (held === undefined) return sendLater(env, message, TURN_MS);
  if (held.kind === "slack") return postToChannel(env, held, message);
  await recordOutcome(env, held, [next], await postToWebhook(env, held, next));
}

async function findMeant(
  db: D1Database,
  { project_id, delivery_id, attempts }: DeliverMessage,
): Promise<WaitingDelivery | undefined> {
  const waiting = await findWaiting(db, project_id, delivery_id);
  return waiting?.attempts === attempts ? waiting : undefined;
}

async function findOther(
  db: D1Database,
  destination: DestinationRow,
  now: number,
): Promise<WaitingDelivery | undefined> {
  if (destination.kind !== "slack") return undefined;
  const [first] = await listDueOf(db, destination, { now, limit: 1 });
  return first;
}

async function postToWebhook(
  env: ConsumerEnv,
  destination: DestinationRow,
  waiting: WaitingDelivery,
): Promise<Attempt> {
  const address = await openAddress(env, destination);
  if ("error" in address) return unsent(address.error);
  const now = Date.now();
  const secrets = await openSecrets(env, destination, now);
  if (secrets.length === 0) return unsent("unreadable_address");
  const { headers, body } = await toWebhookRequest(destination.project_id, toNotice(waiting), secrets, now);
  return post(address.url, headers, body);
}
