import { join } from "node:path";
import { build } from "esbuild";

export const ROOT = join(import.meta.dirname, "../../..");

/** Bundles a Worker's entry, by its path in the repository, as a deployment would: minified, one module. */
export async function bundle(entry: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(ROOT, entry)],
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*", "node:*"],
    logLevel: "error",
  });
  return outputFiles[0]?.text ?? "";
}
