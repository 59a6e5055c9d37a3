import { bundle } from "./bundle.ts";
import { makeProject, PEPPER } from "./make-project.ts";
import { readSettings } from "./read-settings.ts";
import { type RunningWorkers, startWorkers } from "./start-workers.ts";

export interface ProductOptions {
  /** The entry that mounts the product's Workers, by its path in the repository. */
  readonly entry: string;
  readonly flushSecondsMin: number;
  /** Whether objects may leave memory when they have been idle, as they do by themselves. */
  readonly mayEvict?: boolean;
  readonly isUntimed?: boolean;
  readonly inspectorPort?: number;
}

/** The product on the bindings of wrangler.toml. */
export interface Product extends RunningWorkers {
  /** The value of the header that lets events in. */
  readonly authorization: string;
}

/** The name of the Worker under measurement, ours or the rival. */
export const UNDER_TEST = "under-test";

/** Starts the product, with a project that has the metrics of the reference workload. */
export async function startProduct({ entry, flushSecondsMin, mayEvict, ...options }: ProductOptions): Promise<Product> {
  const worker = {
    ...readSettings("wrangler.toml"),
    name: UNDER_TEST,
    script: await bundle(entry),
    bindings: { KEY_PEPPER: PEPPER, FLUSH_SECONDS_MIN: String(flushSecondsMin) },
    durableObjects: {
      METERS: { className: "CustomerMeter", ...OBJECT_SETTINGS, unsafePreventEviction: mayEvict !== true },
    },
  };
  const workers = await startWorkers({ workers: [worker], ...options });
  const database = await workers.miniflare.getD1Database("DB", UNDER_TEST);
  return { ...workers, authorization: `Bearer ${await makeProject(database)}` };
}

/**
 * Objects stay in memory while a benchmark pauses: locally, evicting a thousand of them stops the whole
 * process for a third of a second, ten seconds after whatever was measured last.
 */
export const OBJECT_SETTINGS = { useSQLite: true, unsafePreventEviction: true } as const;

/** How the product's event queue delivers: the rival's does the same. */
export function eventQueueSettings(): Readonly<Record<string, unknown>> {
  const consumers = readSettings("wrangler.toml")["queueConsumers"] as Readonly<
    Record<string, Readonly<Record<string, unknown>>>
  >;
  const { maxBatchSize, maxBatchTimeout, maxRetries } = consumers["tidemark-events"] ?? {};
  return { "tidemark-events": { maxBatchSize, maxBatchTimeout, maxRetries } };
}
