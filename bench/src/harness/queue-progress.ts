/**
 * What a Worker under measurement tells of its queue: how much waits, and when its consumer finished
 * last. It is all that the benchmarks add to the product, and the rival has it too.
 */
export interface QueueProgress {
  /** Messages that wait, in the queue or in the consumer's hands. */
  readonly waiting: number;
  /** Messages and batches that the consumer has finished. */
  readonly messages: number;
  readonly batches: number;
  /** When it finished the latest, in milliseconds. */
  readonly finishedAt: number;
}

const progress = { inHand: 0, messages: 0, batches: 0, finishedAt: 0 };

/** Runs a consumer and notes that it has. */
export async function noteProgress(batch: MessageBatch, consume: () => Promise<void>): Promise<void> {
  const count = batch.messages.length;
  progress.inHand += count;
  try {
    await consume();
  } finally {
    progress.inHand -= count;
    progress.messages += count;
    progress.batches++;
    progress.finishedAt = Date.now();
  }
}

export async function reportProgress(queue: Queue<string>): Promise<QueueProgress> {
  const { backlogCount } = await queue.metrics();
  const { inHand, ...finished } = progress;
  return { ...finished, waiting: backlogCount + inHand };
}
