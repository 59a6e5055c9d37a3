const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** From each attempt to the next, as Standard Webhooks recommends: ten attempts in some 75 hours. */
export const RETRY_DELAYS_MS = [
  5 * SECOND,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  14 * HOUR,
  20 * HOUR,
  24 * HOUR,
] as const;

/** A receiver that asks for more patience than this gets no more. */
const RETRY_AFTER_MS_MAX = 24 * HOUR;
/** What failed together does not come back together. */
const JITTER = 0.05;

/**
 * When a delivery is attempted again, or `null` when it has had all its attempts.
 *
 * @param attempts those made, the last one included.
 * @param retryAfterMs what the receiver asked for: it only ever makes the wait longer.
 * @param random from 0 to 1.
 */
export function nextAttemptAt(
  attempts: number,
  now: number,
  { retryAfterMs, random }: { readonly retryAfterMs: number | null; readonly random: number },
): number | null {
  const delay = RETRY_DELAYS_MS[attempts - 1];
  if (delay === undefined) return null;
  const asked = Math.min(retryAfterMs ?? 0, RETRY_AFTER_MS_MAX);
  return now + Math.max(Math.ceil(delay * (1 + JITTER * random)), asked);
}

/** What `Retry-After` asks for: seconds, or a date of HTTP. */
export function readRetryAfter(header: string | null, now: number): number | null {
  if (header === null) return null;
  const text = header.trim();
  if (/^\d{1,9}$/.test(text)) return Number(text) * SECOND;
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : Math.max(0, at - now);
}
