import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { convertV4MiniflareOptions, Miniflare, NoOpLog } from "miniflare";
import { unstable_getMiniflareWorkerOptions, unstable_splitSqlQuery } from "wrangler";

const ROOT = join(import.meta.dirname, "..");
/** A stop waits this long for the queues to empty. */
const DRAIN_MS_MAX = 7_000;
const CRON_MS = 5 * 60_000;

export interface PlatformOptions {
  /** 0 takes a free port. */
  readonly port: number;
  /** Where everything is kept. */
  readonly stateDirectory: string;
  readonly pepper: string;
  /** Origins that webhooks may go to besides public https ones, separated by spaces. */
  readonly webhookOrigins: string;
}

export interface Platform {
  readonly url: string;
  readonly database: D1;
  readonly miniflare: Miniflare;
  /** Runs the cron trigger now. */
  runCron(): Promise<void>;
  /** Waits until both queues are empty; false when it took too long. */
  drained(timeoutMs: number): Promise<boolean>;
  /** Takes no more requests, lets the queues empty, keeps what still waits for another attempt, and ends. */
  stop(): Promise<void>;
}

type D1 = Awaited<ReturnType<Miniflare["getD1Database"]>>;

/** Starts the whole platform on one origin: the Worker of wrangler.toml in workerd, with its state in a directory. */
export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const token = randomBytes(16).toString("hex");
  const miniflare = await openMiniflare(options, token);
  const database = await miniflare.getD1Database("DB");
  await migrate(database);
  const url = `http://127.0.0.1:${(await miniflare.unsafeGetDirectURL("tidemark")).port}`;
  await resendWaiting(miniflare, options.stateDirectory);

  const ask = async (path: string): Promise<Backlog> => {
    const response = await fetch(`${url}/__local/${path}`, { headers: { "x-local-token": token } });
    return response.json<Backlog>();
  };
  const drained = async (path: string, timeoutMs: number, done: (backlog: Backlog) => boolean): Promise<Backlog> => {
    for (const end = Date.now() + timeoutMs; ;) {
      const backlog = await ask(path);
      if (done(backlog) || Date.now() > end) return backlog;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const runCron = async (): Promise<void> => {
    await (await miniflare.getWorker("tidemark")).scheduled({ cron: "*/5 * * * *" });
  };
  // A job that the last stop broke off goes on; nobody else can be working on it.
  await database.prepare("UPDATE jobs SET leased_until = 0 WHERE state = 'running'").run();
  await runCron();
  const cron = setInterval(() => void runCron().catch((error: unknown) => console.error(error)), CRON_MS);

  return {
    url,
    database,
    miniflare,
    runCron,
    drained: async (timeoutMs) => isEmpty(await drained("backlog", timeoutMs, isEmpty)),
    stop: async () => {
      clearInterval(cron);
      const left = await drained("drain", DRAIN_MS_MAX, ({ queued, in_hand }) => queued === 0 && in_hand === 0);
      if (left.waiting.length > 0) writeFileSync(waitingFile(options.stateDirectory), JSON.stringify(left.waiting));
      await miniflare.dispose();
    },
  };
}

interface Backlog {
  readonly queued: number;
  readonly in_hand: number;
  readonly waiting: readonly {
    readonly queue: "EVENTS" | "ROLLUPS" | "JOBS" | "NOTIFICATIONS";
    readonly body: string;
  }[];
}

function isEmpty({ queued, in_hand, waiting }: Backlog): boolean {
  return queued === 0 && in_hand === 0 && waiting.length === 0;
}

async function openMiniflare(
  { port, stateDirectory, pepper, webhookOrigins }: PlatformOptions,
  token: string,
): Promise<Miniflare> {
  const { workerOptions } = unstable_getMiniflareWorkerOptions(join(ROOT, "wrangler.toml"));
  const options = convertV4MiniflareOptions({
    cf: false,
    log: new NoOpLog(),
    workers: [
      {
        ...workerOptions,
        name: "tidemark",
        modules: [{ type: "ESModule", path: "index.js", contents: await bundle() }],
        bindings: {
          ...(workerOptions.bindings as Record<string, string>),
          KEY_PEPPER: pepper,
          LOCAL_TOKEN: token,
          WEBHOOK_ORIGINS: webhookOrigins,
        },
        unsafeDirectSockets: [{ host: "127.0.0.1", port }],
      },
    ],
  });
  return new Miniflare({ ...options, resourcePersistencePath: stateDirectory });
}

async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(ROOT, "scripts/local-entry.ts")],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*", "node:*"],
    jsx: "automatic",
    jsxImportSource: "hono/jsx",
    logLevel: "error",
  });
  return outputFiles[0]?.text ?? "";
}

/** Applies what is new in migrations/, and keeps the list where `wrangler d1 migrations` keeps it. */
async function migrate(database: D1): Promise<void> {
  await database
    .prepare(
      "CREATE TABLE IF NOT EXISTS d1_migrations (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL)",
    )
    .run();
  const { results } = await database.prepare("SELECT name FROM d1_migrations").all<{ name: string }>();
  const applied = new Set(results.map((row) => row.name));
  const directory = join(ROOT, "migrations");
  for (const name of readdirSync(directory)
    .filter((file) => file.endsWith(".sql"))
    .toSorted()) {
    if (applied.has(name)) continue;
    const statements = unstable_splitSqlQuery(readFileSync(join(directory, name), "utf8")).map((sql) =>
      database.prepare(sql),
    );
    await database.batch([...statements, database.prepare("INSERT INTO d1_migrations (name) VALUES (?)").bind(name)]);
  }
}

function waitingFile(stateDirectory: string): string {
  return join(stateDirectory, "waiting-messages.json");
}

/** Sends again what waited for another attempt when the platform was last stopped. */
async function resendWaiting(miniflare: Miniflare, stateDirectory: string): Promise<void> {
  const file = waitingFile(stateDirectory);
  if (!existsSync(file)) return;
  for (const { queue, body } of JSON.parse(readFileSync(file, "utf8")) as Backlog["waiting"]) {
    await (await miniflare.getQueueProducer(queue)).send(body, { contentType: "text" });
  }
  rmSync(file);
}
