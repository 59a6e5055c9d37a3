/** Waits, for somebody who is waiting too: the process stays alive meanwhile. */
export function wait(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, Math.min(ms, TIMER_MS_MAX));
  });
}

/** Waits in the background, which keeps nobody alive: the process may end meanwhile. */
export function waitAside(ms: number): Promise<void> {
  return new Promise((resolve) => {
    release(setTimeout(resolve, Math.min(ms, TIMER_MS_MAX)));
  });
}

/** What runtimes accept; a longer wait would fire at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** Node's timers keep the process alive unless told not to; other runtimes' are numbers. */
function release(timer: unknown): void {
  (timer as { readonly unref?: () => void }).unref?.();
}

/**
 * Waits for `promise`, `ms` at most.
 *
 * @returns whether it was resolved in time. The process stays alive meanwhile.
 */
export async function within(promise: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), Math.min(ms, TIMER_MS_MAX));
  });
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
