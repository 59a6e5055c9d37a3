import type { DeliverMessage } from "@tidemark/contract";
import { failWaiting, findWaiting, type WaitingDelivery } from "@tidemark/db/attempts";
import { type DestinationRow, findDestination } from "@tidemark/db/destinations";
import type { ConsumerEnv } from "../env.ts";
import { openAddress, openSecrets } from "./open-destination.ts";
import { type Attempt, post, unsent } from "./post.ts";
import { postToChannel } from "./post-to-channel.ts";
import { recordOutcome } from "./record-outcome.ts";
import { sendLater } from "./send-later.ts";
import { toNotice } from "./to-notice.ts";
import { toWebhookRequest } from "./webhook-request.ts";

/** Attempts a delivery, if it still waits for this attempt and its time has come. */
export async function deliver(env: ConsumerEnv, message: DeliverMessage): Promise<void> {
  const { project_id, delivery_id, attempts } = message;
  const waiting = await findWaiting(env.DB, project_id, delivery_id);
  if (waiting === undefined || waiting.attempts !== attempts) return;
  const now = Date.now();
  const destination = await findDestination(env.DB, { project_id, id: waiting.destination_id });
  if (destination === undefined || destination.disabled_at !== null)
    return failWaiting(env.DB, project_id, delivery_id, now);
  const dueAt = Math.max(waiting.next_at, destination.next_at);
  if (dueAt > now) return sendLater(env, message, dueAt - now);
  if (destination.kind === "slack") return postToChannel(env, destination, message);
  await recordOutcome(env, destination, [waiting], await postToWebhook(env, destination, waiting));
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
