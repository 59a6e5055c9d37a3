/**
 * What a Worker under measurement tells of its queue: how many messages its consumer has finished, and
 * when. It is the only thing that the benchmarks add to the product, and the rival has it too.
 */
const progress = { inHand: 0, done: 0, batches: 0, doneAt: 0 };

export interface Progress {
  /** Messages that wait, in the queue or in the consumer's hands. */
  readonly waiting: number;
  /** Messages and batches that the consumer has finished. */
  readonly done: number;
  readonly batches: number;
  /** When it finished the latest, in milliseconds. */
  readonly doneAt: number;
}

/** Runs a consumer and notes that it has. */
export async function noting(batch: MessageBatch, consume: () => Promise<void>): Promise<void> {
  progress.inHand += batch.messages.length;
  try {
    await consume();
  } finally {
    progress.inHand -= batch.messages.length;
    progress.done += batch.messages.length;
    progress.batches++;
    progress.doneAt = Date.now();
  }
}

export async function reportProgress(queue: Queue<string>): Promise<Response> {
  const { backlogCount } = await queue.metrics();
  const { inHand, ...done } = progress;
  return Response.json({ ...done, waiting: backlogCount + inHand } satisfies Progress);
}
