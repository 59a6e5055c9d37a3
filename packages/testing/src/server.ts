import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "../../..");
const START_MS_MAX = 120_000;

/** `npm start`, as a script drives it. */
export interface Server {
  readonly url: string;
  readonly stateDirectory: string;
  readonly keys: { readonly admin: string; readonly ingest: string; readonly read: string; readonly project: string };
  /** Everything it has printed. */
  output(): string;
  /** Asks it to end with SIGTERM. @returns its exit code and how long it took. */
  stop(): Promise<{ readonly code: number | null; readonly milliseconds: number }>;
}

interface ServerOptions {
  readonly demo: boolean;
  readonly stateDirectory?: string;
  /** More of its environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts the platform on a free port and waits until it says that it is ready. */
export async function startServer({ demo, stateDirectory = newDirectory(), env }: ServerOptions): Promise<Server> {
  const port = await freePort();
  const child = spawn("npm", ["start"], {
    cwd: ROOT,
    env: {
      ...process.env,
      ...env,
      PORT: String(port),
      TIDEMARK_STATE: stateDirectory,
      TIDEMARK_DEMO: demo ? "1" : "0",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const url = await ready(child, () => output);
  const keys = JSON.parse(readFileSync(join(stateDirectory, "keys.json"), "utf8")) as Server["keys"];
  return { url, stateDirectory, keys, output: () => output, stop: () => stop(child) };
}

/** A server that can be killed outright, with everything it has started. */
export interface MortalServer {
  readonly url: string;
  readonly keys: Server["keys"];
  /** SIGKILL to the whole process group. Returns when the port refuses connections. */
  kill(): Promise<void>;
}

/** The same without npm in between, in a process group of its own. */
export async function startMortalServer(stateDirectory: string): Promise<MortalServer> {
  const port = await freePort();
  const child = spawn(process.execPath, ["scripts/start.ts"], {
    cwd: ROOT,
    env: { ...process.env, PORT: String(port), TIDEMARK_STATE: stateDirectory, TIDEMARK_DEMO: "0" },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const url = await ready(child, () => output);
  const keys = JSON.parse(readFileSync(join(stateDirectory, "keys.json"), "utf8")) as Server["keys"];
  return { url, keys, kill: () => kill(child, url) };
}

async function kill(child: ChildProcess, url: string): Promise<void> {
  if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  for (;;) {
    try {
      await fetch(url, { signal: AbortSignal.timeout(1_000) });
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A new directory for a server's state. */
export function newDirectory(): string {
  return mkdtempSync(join(tmpdir(), "tidemark-"));
}

async function ready(child: ChildProcess, output: () => string): Promise<string> {
  for (const end = Date.now() + START_MS_MAX; Date.now() < end;) {
    const url = /^ready (http:\S+)$/m.exec(output())?.[1];
    if (url !== undefined) return url;
    if (child.exitCode !== null) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  child.kill("SIGKILL");
  throw new Error(`The platform did not start:\n${output()}`);
}

async function stop(child: ChildProcess): Promise<{ readonly code: number | null; readonly milliseconds: number }> {
  const from = Date.now();
  const ended = child.exitCode !== null || child.signalCode !== null;
  const code = ended
    ? child.exitCode
    : await new Promise<number | null>((resolve) => {
        child.on("exit", resolve);
        child.kill("SIGTERM");
      });
  return { code, milliseconds: Date.now() - from };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port is free");
  return address.port;
}
