/** How waits between attempts grow: doubling from `baseMs`, never beyond `maxMs`. */
export interface Backoff {
  readonly baseMs: number;
  readonly maxMs: number;
}

/**
 * How long to wait after `failures` attempts in a row have failed. The whole wait is jitter, so that many
 * clients that failed together do not come back together.
 *
 * @param random at least 0 and below 1.
 */
export function backoffMs(backoff: Backoff, failures: number, random: number): number {
  return random * ceilingMs(backoff, failures);
}

/** The longest wait that `backoffMs` may choose. */
export function ceilingMs({ baseMs, maxMs }: Backoff, failures: number): number {
  return Math.min(maxMs, baseMs * 2 ** Math.max(0, failures - 1));
}

/**
 * Reads `Retry-After` as seconds or as a date (RFC 9110, 10.2.3).
 *
 * @returns milliseconds from `now`, or `null` when the header is missing or is neither.
 */
export function retryAfterMs(header: string | null, now: number): number | null {
  if (header === null) return null;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1_000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? null : Math.max(0, at - now);
}
