import type { NotifyMessage } from "@tidemark/contract";
import type { DisabledBody } from "@tidemark/contract/notice";
import { disableDestination, type NextState, recordAttempt, type WaitingDelivery } from "@tidemark/db/attempts";
import { type DestinationRow, noteHealth } from "@tidemark/db/destinations";
import type { ConsumerEnv } from "../env.ts";
import type { Attempt } from "./post.ts";
import { nextAttemptAt } from "./retry-schedule.ts";
import { sendLater } from "./send-later.ts";

/** After so long with nothing but failures a destination is disabled. */
const FAILING_MS_MAX = 5 * 86_400_000;

/**
 * Notes what came of an attempt that carried some deliveries: they are over, or wait for their next one. A receiver
 * that is gone, or has failed for days, is disabled, and the project's other destinations are told.
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
  const reason = reasonToDisable(destination, attempt, now);
  const random = Math.random();
  const next = carried.map((delivery) => {
    const nextAt =
      isTaken || isOurs || reason !== null
        ? null
        : nextAttemptAt(delivery.attempts + 1, now, { retryAfterMs: attempt.retry_after_ms, random });
    return toNextState(delivery, isTaken, nextAt, now);
  });
  const recorded = [
    recordAttempt(DB, project_id, next, { ...attempt, now }),
    ...(isOurs ? [] : [noteHealth(DB, destination, isTaken ? null : now)]),
  ];
  if (reason !== null) return disable(env, destination, { reason, now, recorded });
  await DB.batch(recorded);
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

async function disable(
  { DB, NOTIFICATIONS }: ConsumerEnv,
  destination: DestinationRow,
  change: {
    readonly reason: DisabledBody["reason"];
    readonly now: number;
    readonly recorded: readonly D1PreparedStatement[];
  },
): Promise<void> {
  const { project_id, id, name, failing_since } = destination;
  const { reason, now, recorded } = change;
  const body: DisabledBody = {
    destination: { id, name },
    reason,
    failing_since: new Date(failing_since ?? now).toISOString(),
  };
  const notice = { id: `disabled:${id}:${now}`, body: JSON.stringify(body) };
  await DB.batch([...recorded, ...disableDestination(DB, destination, { reason, now, notice })]);
  const message: NotifyMessage = { kind: "notify", project_id, notice_ids: [notice.id] };
  await NOTIFICATIONS.send(JSON.stringify(message), { contentType: "text" });
}
