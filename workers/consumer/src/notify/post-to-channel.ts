import type { DeliverMessage } from "@tidemark/contract";
import { listDueOf, type WaitingDelivery } from "@tidemark/db/attempts";
import { claimTurn, type DestinationRow, postpone } from "@tidemark/db/destinations";
import type { ConsumerEnv } from "../env.ts";
import { openAddress } from "./open-destination.ts";
import { type Attempt, post, unsent } from "./post.ts";
import { recordOutcome } from "./record-outcome.ts";
import { sendLater } from "./send-later.ts";
import { toSlackMessage } from "./slack-message.ts";
import { toNotice } from "./to-notice.ts";

/** From one post to a channel to the next: Slack takes one a second, and people read less than twenty a minute. */
const TURN_MS = 3_000;
/** Notices that one post carries. */
const CARRIED_MAX = 300;

/** Posts what waits for a channel as one message, when it is the channel's turn. */
export async function postToChannel(
  env: ConsumerEnv,
  destination: DestinationRow,
  message: DeliverMessage,
): Promise<void> {
  const now = Date.now();
  if (!(await claimTurn(env.DB, destination, { now, until: now + TURN_MS }))) return sendLater(env, message, TURN_MS);
  const due = await listDueOf(env.DB, destination, { now, limit: CARRIED_MAX + 1 });
  const carried = chooseCarried(due);
  if (carried.length === 0) return;
  const attempt = await postAll(env, destination, carried);
  if (attempt.retry_after_ms !== null)
    await postpone(env.DB, destination, Date.now() + Math.min(attempt.retry_after_ms, PAUSE_MS_MAX)).run();
  await recordOutcome(env, destination, carried, attempt);
  const left = due[carried.length];
  if (left === undefined) return;
  const { id: delivery_id, attempts } = left;
  await sendLater(env, { ...message, delivery_id, attempts }, TURN_MS);
}

/** A channel that wants longer is asked again after this time. */
const PAUSE_MS_MAX = 3_600_000;

/** A digest is a message of its own; all else goes together. */
function chooseCarried(due: readonly WaitingDelivery[]): readonly WaitingDelivery[] {
  if (due[0]?.kind === "digest") return due.slice(0, 1);
  const digest = due.findIndex(({ kind }) => kind === "digest");
  return due.slice(0, digest === -1 ? CARRIED_MAX : digest);
}

async function postAll(
  env: ConsumerEnv,
  destination: DestinationRow,
  carried: readonly WaitingDelivery[],
): Promise<Attempt> {
  const address = await openAddress(env, destination);
  if ("error" in address) return unsent(address.error);
  return post(address.url, {}, JSON.stringify(toSlackMessage(carried.map(toNotice))));
}
