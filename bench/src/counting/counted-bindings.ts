// oxlint-disable-next-line no-restricted-imports -- Only the type of the environment.
import type { ConsumerEnv } from "@tidemark/consumer";
import { countedDatabase } from "./counted-database.ts";
import { counts } from "./counts.ts";

/** A message is billed by the started 64,000 bytes. */
const OPERATION_BYTES = 64_000;

/** The bindings as they are, with every operation counted that they bill. */
export function countedBindings<Env extends Partial<ConsumerEnv & { readonly EVENTS: Queue<string> }>>(env: Env): Env {
  return {
    ...env,
    ...(env.DB === undefined ? {} : { DB: countedDatabase(env.DB) }),
    ...(env.ARCHIVE === undefined ? {} : { ARCHIVE: countedBucket(env.ARCHIVE) }),
    ...(env.ROLLUPS === undefined
      ? {}
      : { ROLLUPS: countedQueue(env.ROLLUPS, (body) => (counts.rollupOperations += operationsOf(body))) }),
    ...(env.EVENTS === undefined ? {} : { EVENTS: countedQueue(env.EVENTS, countEvent) }),
  };
}

/** Operations that writing, reading or deleting this message is billed as. */
export function operationsOf(body: string): number {
  return Math.max(1, Math.ceil(new TextEncoder().encode(body).byteLength / OPERATION_BYTES));
}

function countEvent(body: string): void {
  counts.eventMessages++;
  counts.eventOperations += operationsOf(body);
}

function countedQueue(queue: Queue<string>, count: (body: string) => void): Queue<string> {
  return {
    metrics: () => queue.metrics(),
    send: (body, options) => {
      count(body);
      return queue.send(body, options);
    },
    sendBatch: (messages, options) => {
      const batch = [...messages];
      for (const message of batch) count(message.body);
      return queue.sendBatch(batch, options);
    },
  };
}

function countedBucket(bucket: R2Bucket): R2Bucket {
  return new Proxy(bucket, {
    get(target, name) {
      if (name === "put") counts.puts++;
      if (name === "get") counts.gets++;
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? (value as (...args: unknown[]) => unknown).bind(target) : value;
    },
  });
}
