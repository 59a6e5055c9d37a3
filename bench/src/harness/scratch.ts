import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./bundle.ts";

const MEMORY = "/dev/shm";
const made = new Set<string>();
process.on("exit", () => made.forEach(removeDirectory));

/**
 * A new directory, which is removed at the end whatever happens: on the disk that holds the repository,
 * because many systems keep their temporary files in memory, or in memory where the system has such a place.
 */
export function makeDirectory(place: "disk" | "memory"): string {
  const parent = place === "memory" && existsSync(MEMORY) ? MEMORY : join(ROOT, ".cache/bench");
  mkdirSync(parent, { recursive: true });
  const directory = mkdtempSync(join(parent, "tidemark-bench-"));
  made.add(directory);
  return directory;
}

export function removeDirectory(directory: string): void {
  rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
  made.delete(directory);
}
