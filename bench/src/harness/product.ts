import { join } from "node:path";
import { unstable_getMiniflareWorkerOptions } from "wrangler";
import { bundle, ROOT } from "./bundle.ts";
import { makeProject, PEPPER } from "./make-project.ts";
import { type RunningWorkers, startWorkers, type WorkerSetup } from "./start-workers.ts";

export interface ProductOptions {
  /** The bench entry that mounts the product's Workers. */
  readonly entry: string;
  readonly directory: string;
  readonly flushSecondsMin: number;
  readonly inspectorPort?: number;
}

/** The product on bindings as wrangler.toml has them, and a key for its project. */
export interface Product extends RunningWorkers {
  readonly authorization: string;
}

export async function startProduct({ entry, directory, flushSecondsMin, inspectorPort }: ProductOptions): Promise<Product> {
  const settings = readSettings();
  const worker: WorkerSetup = {
    ...settings,
    name: "product",
    script: await bundle(entry),
    bindings: { KEY_PEPPER: PEPPER, FLUSH_SECONDS_MIN: String(flushSecondsMin) },
    durableObjects: { METERS: { className: "CustomerMeter", useSQLite: true, unsafePreventEviction: process.env.PREVENT === "1" } },
  };
  const workers = await startWorkers({ workers: [worker], directory, ...(inspectorPort === undefined ? {} : { inspectorPort }) });
  const database = await workers.miniflare.getD1Database("DB", "product");
  return { ...workers, authorization: `Bearer ${await makeProject(database as unknown as D1Database)}` };
}

/** How the product's event queue delivers: the rival's does the same. */
export function eventQueueSettings(): Readonly<Record<string, unknown>> {
  const { queueConsumers } = readSettings() as { readonly queueConsumers: Readonly<Record<string, Record<string, unknown>>> };
  return { "tidemark-events": queueConsumers["tidemark-events"] };
}

function readSettings(): Readonly<Record<string, unknown>> {
  return unstable_getMiniflareWorkerOptions(join(ROOT, "wrangler.toml")).workerOptions as unknown as Readonly<Record<string, unknown>>;
}
