import { convertV4MiniflareOptions, Miniflare, NoOpLog } from "miniflare";
import { cpuSeconds, ownWorkerds, residentBytes } from "./process-usage.ts";
import { makeDirectory, removeDirectory } from "./scratch.ts";

type V4Options = Parameters<typeof convertV4MiniflareOptions>[0];

/** A Worker as Miniflare takes it, with its bundle. */
export type WorkerSetup = Readonly<Record<string, unknown>> & { readonly name: string; readonly script: string };

export interface StartOptions {
  readonly workers: readonly WorkerSetup[];
  /** Keeps objects, D1 and R2 in memory instead of on disk: for what counts operations and times nothing. */
  readonly isUntimed?: boolean;
  /** Opens V8's inspector. */
  readonly inspectorPort?: number;
}

/** Workers in a workerd of their own. */
export interface RunningWorkers {
  readonly miniflare: Miniflare;
  /** The Worker's own socket: no router or proxy stands before it. */
  url(name: string): Promise<string>;
  /** What the workerd process has used. */
  cpuSeconds(): number;
  residentBytes(): number;
  /** Ends it and removes what it has kept. */
  stop(): Promise<void>;
}

/** Lines of a Worker's log that are shown: a failing one writes the same thousands of times. */
const LOG_LINES_MAX = 10;
const running = new Set<RunningWorkers>();

/** Starts Workers in one workerd process, without anything of `wrangler dev` around them. */
export async function startWorkers({ workers, isUntimed, inspectorPort }: StartOptions): Promise<RunningWorkers> {
  const others = ownWorkerds();
  const directory = makeDirectory(isUntimed === true ? "memory" : "disk");
  let logged = 0;
  const options = convertV4MiniflareOptions({
    cf: false,
    log: new NoOpLog(),
    handleStructuredLogs: ({ message }: { readonly message: string }) => {
      if (logged++ < LOG_LINES_MAX) console.error(`  workerd: ${message.slice(0, 300)}`);
    },
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
      removeDirectory(directory);
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
