import { PipelineHarness } from "@tidemark/testing/pipeline-harness";
import { vi } from "vitest";
import worker from "../src/index.ts";

/** The counting path with a clock that every part of it goes by. Fake timers have to be in use. */
export function clockedPipeline(start: number): PipelineHarness {
  return new PipelineHarness(worker.queue, start, (now) => vi.setSystemTime(now));
}

/** Counts everything that waits, and stores it: meters hand over what has changed two seconds later. */
export async function storeAll(pipeline: PipelineHarness): Promise<void> {
  await countAll(pipeline);
  await pipeline.advance(2_000, 2_000);
  await countAll(pipeline);
}

async function countAll(pipeline: PipelineHarness): Promise<void> {
  const isQueued = (): boolean => pipeline.backlog > pipeline.waiting("tidemark-notifications").length;
  while (isQueued()) await pipeline.settle();
}
