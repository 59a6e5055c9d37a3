import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chownSync, existsSync, globSync } from "node:fs";
import { delimiter, join } from "node:path";
import { freePort } from "../../harness/free-port.ts";
import { makeDirectory, removeDirectory } from "../../harness/scratch.ts";

/** A database server of this machine's, on a port and in a directory of its own. */
export interface Program {
  readonly port: number;
  /** Ends it and removes what it has kept. */
  stop(): void;
}

const running = new Set<Program>();
// Before the directories are removed, which happens at the end as well.
process.prependListener("exit", () => running.forEach((program) => program.stop()));

/** Starts Redis with an append-only file; `undefined` where it is not installed. */
export async function startRedis(fsync: "always" | "everysec"): Promise<Program | undefined> {
  const path = findProgram("redis-server");
  if (path === undefined) return undefined;
  const [port, directory] = [await freePort(), makeDirectory("disk")];
  const settings = { port, bind: "127.0.0.1", dir: directory, save: "", appendonly: "yes", appendfsync: fsync };
  const options = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child: ChildProcess = spawn(path, options, { stdio: "ignore" });
  return keep(port, directory, () => child.kill("SIGKILL"));
}

/** Starts PostgreSQL as it comes, with fsync; `undefined` where it is not installed. */
export async function startPostgres(): Promise<Program | undefined> {
  const [initdb, control] = [findProgram("initdb"), findProgram("pg_ctl")];
  if (initdb === undefined || control === undefined) return undefined;
  const [port, directory] = [await freePort(), makeDirectory("disk")];
  const user = otherUser();
  if (user !== undefined) chownSync(directory, user.uid, user.gid);
  const run = (path: string, ...options: readonly string[]): void =>
    void execFileSync(path, ["--pgdata", directory, "--silent", ...options], {
      ...user,
      cwd: directory,
      stdio: "ignore",
    });
  execFileSync(initdb, ["--pgdata", directory, "--auth", "trust", "--username", "postgres", "--locale", "C"], {
    ...user,
    cwd: directory,
    stdio: "ignore",
  });
  run(control, "--options", `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=`, "--wait", "start");
  return keep(port, directory, () => run(control, "--mode", "immediate", "stop"));
}

function keep(port: number, directory: string, end: () => void): Program {
  const program: Program = {
    port,
    stop: () => {
      if (!running.delete(program)) return;
      end();
      removeDirectory(directory);
    },
  };
  running.add(program);
  return program;
}

/** Debian keeps PostgreSQL's programs out of the path. */
function findProgram(name: string): string | undefined {
  const directories = [...(process.env["PATH"] ?? "").split(delimiter), ...globSync("/usr/lib/postgresql/*/bin")];
  return directories.map((directory) => join(directory, name)).find((path) => existsSync(path));
}

/** PostgreSQL refuses to run as root. */
function otherUser(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (option: string): number => Number(execFileSync("id", [option, "postgres"], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
}
