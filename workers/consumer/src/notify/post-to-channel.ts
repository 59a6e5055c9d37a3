import type { DeliverMessage } from "@tidemark/contract";
import { listDueOf, type WaitingDelivery } from "@tidemark/db/attempts";
import { type DestinationRow, endTurn } from "@tidemark/db/destinations";
import type { ConsumerEnv } from "../env.ts";
import { openAddress } from "./open-destination.ts";
import { TURN_MS } from "./pause-after.ts";
import { type Attempt, post, unsent } from "./post.ts";
import { recordOutcome } from "./record-outcome.ts";
import { sendLater } from "./send-later.ts";
import { toSlackMessage } from "./slack-message.ts";
import { toNotice } from "./to-notice.ts";

/** Notices that one post carries. */
const CARRIED_MAX = 300;

/** Posts what waits for a channel as one message. @param destination the channel, whose turn has been taken. */
export async function postToChannel(
  env: ConsumerEnv,
  destination: DestinationRow,
  message: DeliverMessage,
): Promise<void> {
  const now = Date.now();
  const due = await listDueOf(env.DB, destination, { now, limit: CARRIED_MAX + 1 });
  const carried = chooseCarried(due);
  // Whoever had the turn before took all: it is given back, for nothing is posted in it.
  if (carried.length === 0) return void (await endTurn(env.DB, destination, now).run());
  const attempt = await postAll(env, destination, carried);
  await recordOutcome(env, destination, carried, attempt);
  const left = due[carried.length];
  if (left === undefined) return;
  const { id: delivery_id, attempts } = left;
  await sendLater(env, { ...message, delivery_id, attempts }, TURN_MS);
}

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
