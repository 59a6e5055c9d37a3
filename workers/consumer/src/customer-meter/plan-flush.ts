import type { FlushState } from "./head.ts";

/** A customer's first change is in D1 this soon. */
const FIRST_FLUSH_MS = 2_000;
/** A customer that stays busy is flushed at most this rarely. */
const INTERVAL_MS_MAX = 15 * 60_000;
/** Flushes are spaced by this part of how long the customer has been busy. */
const BUSY_SHARE = 15;
/** An alarm that is later than this has died. */
const OVERDUE_MS = 60_000;
/** A pause that ends a spell of activity. */
const QUIET_MS = 10 * 60_000;

/**
 * When the meter's alarm should send what has changed, or `null` when one is under way already.
 *
 * Soon after the first change, then adaptively more rarely while the customer stays busy: each flush is
 * an alarm and rows in D1, and the customer's own page reads the live meter anyway. An alarm that is
 * overdue has run, or died; either way the next change sets one again.
 *
 * @param isPending whether this instance has set the alarm and not seen it run.
 */
export function planFlush(flush: FlushState, now: number, intervalMsMin: number, isPending: boolean): number | null {
  if (now - flush.active_at > QUIET_MS) flush.busy_since = now;
  flush.active_at = now;
  if (flush.due_at !== null) {
    if (flush.due_at > now || (isPending && flush.due_at > now - OVERDUE_MS)) return null;
    flush.last_at = Math.max(flush.last_at, flush.due_at);
  }
  const interval = Math.min(Math.max((now - flush.busy_since) / BUSY_SHARE, intervalMsMin), INTERVAL_MS_MAX);
  flush.due_at = Math.ceil(Math.max(now + FIRST_FLUSH_MS, flush.last_at + interval));
  return flush.due_at;
}
