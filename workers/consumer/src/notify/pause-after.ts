import type { DestinationRow } from "@tidemark/db/destinations";
import type { Attempt } from "./post.ts";
import { RETRY_DELAYS_MS } from "./retry-schedule.ts";

/** From one post to a channel to the next: Slack takes one a second, and people read less than twenty a minute. */
export const TURN_MS = 3_000;

/** A channel that wants longer is asked again after this time. */
const ASKED_MS_MAX = 3_600_000;
/** So soon a receiver that comes back is noticed, however long it was away. */
const SILENT_MS_MAX = 3_600_000;

/**
 * How long a destination is left alone after an attempt, in milliseconds. A channel has its pace, or asks for longer.
 * A receiver that did not answer takes up to fifteen seconds of whoever asks it: it is left alone for as long as it has
 * been failing, and its backlog waits without using attempts. That is never longer than from one attempt of a
 * delivery to the next, so that one that waits alone is attempted at its times.
 */
export function pauseAfter(
  { kind, failing_since }: Pick<DestinationRow, "kind" | "failing_since">,
  { error, retry_after_ms }: Attempt,
  now: number,
): number {
  const pace = kind === "slack" ? Math.max(TURN_MS, Math.min(retry_after_ms ?? 0, ASKED_MS_MAX)) : 0;
  if (error !== "timeout" && error !== "unreachable") return pace;
  const failingMs = now - (failing_since ?? now);
  return Math.max(pace, Math.min(Math.max(failingMs, RETRY_DELAYS_MS[0]), SILENT_MS_MAX));
}
