import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./bundle.ts";

const made = new Set<string>();
process.on("exit", () => made.forEach(removeDirectory));

/** A new directory on the disk that holds the repository, which is removed at the end whatever happens. */
export function makeDirectory(): string {
  return makeDirectoryIn(join(ROOT, ".cache/bench"));
}

/** The same in memory where the system has such a place: for what counts operations and times nothing. */
export function makeDirectoryInMemory(): string {
  return existsSync("/dev/shm") ? makeDirectoryIn("/dev/shm") : makeDirectory();
}

export function removeDirectory(directory: string): void {
  rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
  made.delete(directory);
}

function makeDirectoryIn(parent: string): string {
  mkdirSync(parent, { recursive: true });
  const directory = mkdtempSync(join(parent, "tidemark-bench-"));
  made.add(directory);
  return directory;
}
