import { join } from "node:path";
import { unstable_getMiniflareWorkerOptions } from "wrangler";
import { ROOT } from "./bundle.ts";

/** A Worker's settings and bindings as a wrangler.toml of this repository has them, in Miniflare's words. */
export function readSettings(path: string): Readonly<Record<string, unknown>> {
  return unstable_getMiniflareWorkerOptions(join(ROOT, path)).workerOptions;
}
