import type { QueryEnv } from "../../env.ts";

/** What waits in a queue. */
export interface QueueBacklog {
  readonly queue: string;
  readonly messages: number;
  readonly bytes: number;
}

/** What waits in the queues that this Worker can see; a queue that does not say is left out. */
export async function readQueues(env: QueryEnv): Promise<readonly QueueBacklog[]> {
  const queues = { events: env.EVENTS, rollups: env.ROLLUPS, jobs: env.JOBS, notifications: env.NOTIFICATIONS };
  const backlogs = await Promise.all(Object.entries(queues).map(async ([name, queue]) => readQueue(name, queue)));
  return backlogs.flat();
}

async function readQueue(name: string, queue: Queue<string> | undefined): Promise<readonly QueueBacklog[]> {
  if (queue === undefined) return [];
  try {
    const { backlogCount, backlogBytes } = await queue.metrics();
    return [{ queue: name, messages: backlogCount, bytes: backlogBytes }];
  } catch (error) {
    console.warn(JSON.stringify({ at: "read-queues", queue: name, error: String(error) }));
    return [];
  }
}
