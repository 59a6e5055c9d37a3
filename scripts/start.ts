import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Scope } from "../packages/http/src/keys.ts";
import { loadSampleData, type SampleData } from "./load-sample-data.ts";
import { makeKey } from "./make-key.ts";
import { type Platform, startPlatform } from "./platform.ts";

/**
 * `npm start`: the whole platform on this machine, with all its state in one directory. A second start on
 * the same directory goes on where the first one stopped.
 */
interface Keys {
  readonly admin: string;
  readonly ingest: string;
  readonly read: string;
  readonly project: "default";
}

const port = Number(process.env["PORT"] ?? 8787);
const stateDirectory = resolve(process.env["TIDEMARK_STATE"] ?? ".tidemark");
const wantsSampleData = process.env["TIDEMARK_DEMO"] !== "0";

mkdirSync(stateDirectory, { recursive: true });
const platform = await open();
const keys = await ensureKeys(platform);
const sample = await ensureSampleData(platform, keys);
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  // Miniflare would end the process at once, with what its queues hold.
  process.removeAllListeners(signal);
  process.on(signal, () => void stop());
}
// Whoever started this and was killed outright could not say so.
const parent = process.ppid;
setInterval(() => process.ppid !== parent && void stop(), 1_000).unref();
console.log(welcome(platform.url, keys, sample));
console.log(`ready ${platform.url}`);

async function open(): Promise<Platform> {
  const pepper = readOrMake("pepper", () => randomBytes(32).toString("hex"));
  try {
    const webhookOrigins = process.env["TIDEMARK_WEBHOOK_ORIGINS"] ?? "";
    return await startPlatform({ port, stateDirectory, pepper, webhookOrigins });
  } catch (error) {
    console.error(
      `Tidemark could not start on port ${port}. Is it taken? PORT=8788 npm start uses another.\n${String(error)}`,
    );
    process.exit(1);
  }
}

let stopping = false;

async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  await platform.stop();
  process.exit(0);
}

/** A file of the state directory that only its owner can read. */
function readOrMake(name: string, make: () => string): string {
  const file = join(stateDirectory, name);
  if (existsSync(file)) return readFileSync(file, "utf8");
  return writeSecret(name, make());
}

function writeSecret(name: string, text: string): string {
  const file = join(stateDirectory, name);
  writeFileSync(file, text, { mode: 0o600 });
  // The mode above only counts for a new file.
  chmodSync(file, 0o600);
  return text;
}

/** The default project's keys, made at the first start. */
async function ensureKeys({ database }: Platform): Promise<Keys> {
  const file = join(stateDirectory, "keys.json");
  if (existsSync(file)) return JSON.parse(readFileSync(file, "utf8")) as Keys;
  const now = Date.now();
  await database
    .prepare(
      "INSERT INTO projects (id, name, time_zone, catalog_version, created_at) VALUES ('default', 'Default', 'UTC', 1, ?) ON CONFLICT DO NOTHING",
    )
    .bind(now)
    .run();
  const pepper = readOrMake("pepper", () => "");
  const make = async (scope: Scope): Promise<string> => {
    const { id, key, hash } = makeKey(scope, pepper);
    await database
      .prepare(
        "INSERT INTO api_keys (project_id, id, name, scopes, hash, created_at) VALUES ('default', ?, ?, ?, ?, ?)",
      )
      .bind(id, `local ${scope}`, scope, hash, now)
      .run();
    return key;
  };
  const made: Keys = {
    admin: await make("admin"),
    ingest: await make("ingest"),
    read: await make("read"),
    project: "default",
  };
  writeSecret("keys.json", `${JSON.stringify(made, null, 2)}\n`);
  return made;
}

/** Loads the sample data once; `null` when it is not wanted. */
async function ensureSampleData(to: Platform, { admin, ingest }: Keys): Promise<SampleData | null> {
  if (!wantsSampleData) return null;
  const file = join(stateDirectory, "sample.json");
  if (existsSync(file)) return JSON.parse(readFileSync(file, "utf8")) as SampleData;
  // Kept before the first event is sent, so that a start that was broken off goes on with the same events.
  const lastAt = Number(readOrMake("sample-time", () => String(Date.now() - 60_000)));
  const loaded = await loadSampleData(to, { admin, ingest }, lastAt);
  writeSecret("sample.json", JSON.stringify(loaded));
  return loaded;
}

function welcome(url: string, { admin, ingest, read }: Keys, data: SampleData | null): string {
  const customer = data?.customer ?? "acme";
  const curl = (key: string, path: string, body?: string): string =>
    [
      `  curl '${url}${path}'`,
      `-H 'authorization: Bearer ${key}'`,
      ...(body === undefined ? [] : ["-H 'content-type: application/json'", `-d '${body}'`]),
    ].join(" \\\n    ");
  const start = `
Tidemark runs. Its state is in ${stateDirectory}.

Console    ${url}/
Admin key  ${admin}
Ingest key ${ingest}
Read key   ${read}
`;
  const metric = `
Define a metric:
${curl(admin, "/v1/metrics", '{"name":"API requests","slug":"api_requests","event_matchers":[{"event":"api_request"}],"aggregation":"count","unit":"requests"}')}
`;
  const use = `
Count a request of ${customer}:
${curl(ingest, "/v1/events", `{"event":"api_request","customer_id":"${customer}","properties":{"endpoint":"/","method":"GET","status":200,"bytes":512}}`)}

See it:
${curl(read, `/v1/usage?metric=api_requests&customer_id=${customer}`)}
${curl(read, "/v1/reports/top-customers?metric=api_requests")}
`;
  const decide = `
Ask before a request is served whether ${customer} may make it, and count it:
${curl(ingest, "/v1/consume", `{"customer_id":"${customer}","metric":"api_requests"}`)}
`;
  const board = data === null ? "" : `\nPublic dashboard, no login: ${new URL(data.dashboard, url).href}\n`;
  return start + (data === null ? metric : "") + use + (data === null ? "" : decide) + board;
}
