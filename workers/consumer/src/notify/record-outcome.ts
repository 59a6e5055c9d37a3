import type { NotifyMessage } from "@tidemark/contract";
import type { DisabledBody } from "@tidemark/contract/notice";
import {
  disableDestination,
  endAllOf,
  type NextState,
  recordAttempt,
  type WaitingDelivery,
} from "@tidemark/db/attempts";
import { type DestinationRow, endTurn, noteHealth } from "@tidemark/db/destinations";
import type { ConsumerEnv } from "../env.ts";
import { pauseAfter } from "./pause-after.ts";
import type { Attempt } from "./post.ts";
import { nextAttemptAt } from "./retry-schedule.ts";
import { sendLater } from "./send-later.ts";

/** After so long with nothing but failures a destination is disabled. */
const FAILING_MS_MAX = 5 * 86_400_000;

/**
 * Notes what came of an attempt that carried some deliveries: they are over, or wait for their next one, and so does
 * the destination. A receiver that is gone, or has failed for days, is disabled, and the project's other destinations
 * are told; one that has moved meanwhile is asked at its new address.
 *
 * @param destination as it was when it was asked, with the turn that was taken.
 */
export async function recordOutcome(
  env: ConsumerEnv,
  destination: DestinationRow,
  carried: readonly WaitingDelivery[],
  attempt: Attempt,
): Promise<void> {
  const { DB } = env;
  const { project_id } = destination;
  const now = Date.now();
  const isTaken = attempt.error === null;
  // What is too large for us is too large the next time as well, and says nothing of the receiver.
  const isOurs = attempt.error === "too_large";
  const disabled = await disableIfHopeless(env, destination, attempt, now);
  const random = Math.random();
  const next = carried.map((delivery) => {
    const nextAt =
      isTaken || isOurs || disabled !== null
        ? null
        : nextAttemptAt(delivery.attempts + 1, now, { retryAfterMs: attempt.retry_after_ms, random });
    return toNextState(delivery, isTaken, nextAt, now);
  });
  const pause = pauseAfter(destination, attempt, now);
  await DB.batch([
    recordAttempt(DB, project_id, next, { ...attempt, now }),
    endTurn(DB, destination, pause === 0 ? 0 : now + pause),
    ...(isOurs ? [] : [noteHealth(DB, destination, isTaken ? null : now)]),
    ...(disabled === null ? [] : [endAllOf(DB, destination, now)]),
  ]);
  if (disabled !== null) await env.NOTIFICATIONS.send(JSON.stringify(disabled), { contentType: "text" });
  const message = { kind: "deliver", project_id, destination_id: destination.id } as const;
  for (const { id: delivery_id, attempts, next_at } of firstOfEachTime(next))
    await sendLater(env, { ...message, delivery_id, attempts: attempts + 1 }, next_at - now);
}

function toNextState(
  { id, attempts }: WaitingDelivery,
  isTaken: boolean,
  nextAt: number | null,
  now: number,
): NextState {
  if (nextAt !== null) return { id, attempts, state: "waiting", next_at: nextAt };
  return { id, attempts, state: isTaken ? "delivered" : "failed", next_at: now };
}

/** One of those that are due at the same time: when it is posted to a channel, the others go with it. */
function firstOfEachTime(next: readonly NextState[]): readonly NextState[] {
  const waiting = next.filter(({ state }) => state === "waiting");
  return [...Map.groupBy(waiting, ({ next_at }) => next_at).values()].flatMap((together) => together.slice(0, 1));
}

function reasonToDisable(
  { failing_since }: DestinationRow,
  { error }: Attempt,
  now: number,
): DisabledBody["reason"] | null {
  if (error === "gone") return "gone";
  if (error === null || error === "too_large" || failing_since === null) return null;
  return failing_since <= now - FAILING_MS_MAX ? "failing" : null;
}

/** @returns what the others are told, or `null` when it is not disabled by this. */
async function disableIfHopeless(
  { DB }: ConsumerEnv,
  destination: DestinationRow,
  attempt: Attempt,
  now: number,
): Promise<NotifyMessage | null> {
  const reason = reasonToDisable(destination, attempt, now);
  if (reason === null) return null;
  const { project_id, id, name, failing_since } = destination;
  const body: DisabledBody = {
    destination: { id, name },
    reason,
    failing_since: new Date(failing_since ?? now).toISOString(),
  };
  const notice = { id: `disabled:${id}:${now}`, body: JSON.stringify(body) };
  if (!(await disableDestination(DB, destination, { reason, now, notice }))) return null;
  return { kind: "notify", project_id, notice_ids: [notice.id] };
}
