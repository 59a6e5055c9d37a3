import { readFileSync } from "node:fs";

/** Files that workerd holds open for each object that is awake: the database, its log and its index. */
const FILES_PER_OBJECT = 3;
/** For sockets, bundles and the other databases. */
const SPARE_FILES = 1_000;

/** How many objects with a database on disk one workerd can keep awake. */
export function objectsMax(): number {
  return Math.floor((openFilesMax() - SPARE_FILES) / FILES_PER_OBJECT);
}

/** Node raises its own soft limit to the hard one when it starts, and workerd inherits it. */
function openFilesMax(): number {
  try {
    const [, limit] = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
    return limit === "unlimited" ? Infinity : Number(limit);
  } catch {
    return 10_000;
  }
}
