import { convertV4MiniflareOptions, Miniflare, NoOpLog } from "miniflare";
import { cpuSeconds, ownWorkerds, residentBytes } from "./process-usage.ts";

type V4Options = Parameters<typeof convertV4MiniflareOptions>[0];

/** A Worker as Miniflare takes it, with its bundle. */
export type WorkerSetup = Readonly<Record<string, unknown>> & { readonly name: string; readonly script: string };

export interface StartOptions {
  readonly workers: readonly WorkerSetup[];
  /** Where objects, D1 and R2 are kept. */
  readonly directory: string;
  /** Opens V8's inspector. */
  readonly inspectorPort?: number;
}

/** Workers in a workerd of their own. */
export interface RunningWorkers {
  readonly miniflare: Miniflare;
  /** The Worker's own socket: no router or proxy stands before it. */
  url(name: string): Promise<string>;
  readonly cpuSeconds: () => number;
  readonly residentBytes: () => number;
  stop(): Promise<void>;
}

const running = new Set<RunningWorkers>();

/** Starts Workers in one workerd process, without anything of `wrangler dev` around them. */
export async function startWorkers({ workers, directory, inspectorPort }: StartOptions): Promise<RunningWorkers> {
  const others = ownWorkerds();
  const options = convertV4MiniflareOptions({
    cf: false,
    log: new NoOpLog(),
    workers: workers.map(toV4) as V4Options["workers"],
    ...(inspectorPort === undefined ? {} : { inspectorPort }),
  } as V4Options);
  const miniflare = new Miniflare({ ...options, resourcePersistencePath: directory });
  await miniflare.ready;
  const pid = ownWorkerds().find((candidate) => !others.includes(candidate)) ?? 0;
  const started: RunningWorkers = {
    miniflare,
    url: async (name) => `http://127.0.0.1:${(await miniflare.unsafeGetDirectURL(name)).port}`,
    cpuSeconds: () => cpuSeconds(pid),
    residentBytes: () => residentBytes(pid),
    stop: async () => {
      running.delete(started);
      await miniflare.dispose();
    },
  };
  running.add(started);
  return started;
}

/** Ends whatever is still running. */
export async function stopAllWorkers(): Promise<void> {
  await Promise.allSettled([...running].map((workers) => workers.stop()));
}

function toV4({ script, ...worker }: WorkerSetup): object {
  return {
    compatibilityDate: "2026-11-01",
    ...worker,
    modules: [{ type: "ESModule", path: "index.js", contents: script }],
    unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
  };
}
