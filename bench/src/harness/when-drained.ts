import type { QueueProgress } from "./queue-progress.ts";

const POLL_MS = 20;
const TIMEOUT_MS = 240_000;

/** Waits until the Worker's queue is empty and its consumer idle, and returns what it has done by then. */
export async function whenDrained(url: string): Promise<QueueProgress> {
  let idle = 0;
  for (const endAt = Date.now() + TIMEOUT_MS; Date.now() < endAt;) {
    const progress = await (await fetch(`${url}/progress`)).json<QueueProgress>();
    // Twice in a row: between the queue and its consumer a batch is for a moment in neither's count.
    idle = progress.waiting === 0 ? idle + 1 : 0;
    if (idle === 2) return progress;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new Error(`The queue was not empty after ${TIMEOUT_MS / 1000} s.`);
}
