import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { type Program, startPostgres, startRedis } from "./start-program.ts";
import type { StoreKind } from "./store.ts";

/** A service before a database, each in processes of their own. */
export interface RunningStore {
  /** Where the service listens, and where the database does. */
  readonly url: string;
  readonly databasePort: number;
  stop(): void;
}

/** Starts a database with its service; `undefined` where it is not installed. */
export async function startStore(kind: StoreKind): Promise<RunningStore | undefined> {
  const program = await startProgram(kind);
  if (program === undefined) return undefined;
  const child = fork(fileURLToPath(import.meta.resolve("./store-process.ts")), [kind, String(program.port)]);
  const port = await whenListening(child);
  return {
    url: `http://127.0.0.1:${port}`,
    databasePort: program.port,
    stop: () => {
      child.kill();
      program.stop();
    },
  };
}

function startProgram(kind: StoreKind): Promise<Program | undefined> {
  switch (kind) {
    case "postgres":
      return startPostgres();
    case "redis-always":
      return startRedis("always");
    case "redis-everysec":
      return startRedis("everysec");
  }
}

function whenListening(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("exit", () => reject(new Error("The service before a database ended.")));
    child.once("message", ({ port }: { readonly port: number }) => resolve(port));
  });
}
