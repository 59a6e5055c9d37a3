const DELAY_SECONDS_MAX = 600;

/**
 * How long a message waits before its next attempt: doubling from a second to ten minutes, spread at
 * random so that what failed together does not come back together. A hundred attempts last most of a day.
 */
export function retryDelay(attempts: number): { readonly delaySeconds: number } {
  const seconds = Math.min(2 ** Math.min(attempts, 10), DELAY_SECONDS_MAX);
  return { delaySeconds: Math.ceil(seconds * (0.5 + Math.random() / 2)) };
}
