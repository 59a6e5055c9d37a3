// Runs a command of package.json on a bare clone, with nothing but Node 20 and npm: installs what
// pnpm-lock.yaml names unless that is there already, then hands over to the Node of node_modules, because
// the tools need a newer one than many machines have. Plain JavaScript without dependencies for that reason.

import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const COMMANDS = {
  start: "scripts/start.ts",
  test: "scripts/test.mjs",
  check: "scripts/check.mjs",
  bench: "bench/src/main.ts",
  "first-key": "scripts/first-key.ts",
  rebuild: "scripts/recount.ts rebuild",
  verify: "scripts/recount.ts verify",
};

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const ON_WINDOWS = process.platform === "win32";
const STAMP = join(ROOT, "node_modules", ".tidemark-installed");

const [name, ...options] = process.argv.slice(2);
const script = COMMANDS[name];
if (script === undefined) {
  console.error(`usage: node scripts/bootstrap.mjs ${Object.keys(COMMANDS).join("|")} [options]`);
  process.exit(2);
}
installUnlessDone();
const [entry, ...fixed] = script.split(" ");
run(entry, [...fixed, ...options]);

/** The stamp, not the folder, says what is installed: a folder is there after half an installation too. */
function installUnlessDone() {
  const lock = createHash("sha256")
    .update(readFileSync(join(ROOT, "pnpm-lock.yaml")))
    .digest("hex");
  const wanted = `${process.platform} ${process.arch} ${lock}\n`;
  if (existsSync(STAMP) && readFileSync(STAMP, "utf8") === wanted) return;
  const { packageManager } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  // This is the pnpm that package.json names; looking for it again would want an entry in the lockfile.
  const pnpm = ["--yes", packageManager, "--pm-on-fail=ignore", "install", "--frozen-lockfile"];
  const { status } = spawnSync("npx", pnpm, {
    cwd: ROOT,
    // Without a terminal pnpm must be told that it may replace an old node_modules.
    env: { ...process.env, CI: "1" },
    // The command's own output stays clean: it may be what somebody reads on.
    stdio: ["inherit", process.stderr, "inherit"],
    shell: ON_WINDOWS,
  });
  if (status !== 0) {
    console.error("The packages could not be installed: see above. Node 20 or later, npm and its registry are needed.");
    process.exit(1);
  }
  writeFileSync(STAMP, wanted);
}

function run(file, args) {
  const node = join(ROOT, "node_modules", "node", "bin", ON_WINDOWS ? "node.exe" : "node");
  // A server stands in a process group of its own: Ctrl-C goes to the whole group, and would end workerd
  // before the server has let its queues empty.
  const isServer = name === "start";
  const child = spawn(node, [file, ...args], {
    cwd: ROOT,
    env: environment(),
    stdio: "inherit",
    detached: isServer && !ON_WINDOWS,
  });
  // A terminal sends SIGINT to a child in this group as well.
  process.on("SIGINT", () => isServer && child.kill("SIGINT"));
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill("SIGTERM"));
  if (process.env.npm_lifecycle_event !== undefined) stopWithParent(child);
  child.on("error", (error) => {
    console.error(String(error));
    process.exitCode = 1;
  });
  child.on("exit", (code, signal) => {
    process.exitCode = code ?? (signal === null ? 1 : 128);
  });
}

/** npm passes SIGTERM to the shell that it runs a script in, which may die of it without passing it on. */
function stopWithParent(child) {
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    child.kill("SIGTERM");
  }, 250);
  watch.unref();
}

/** The tools of node_modules first, and wrangler and miniflare quiet: nothing here needs to reach Cloudflare. */
function environment() {
  const own = join(ROOT, ".cache", "wrangler");
  return {
    WRANGLER_SEND_METRICS: "false",
    WRANGLER_SEND_ERROR_REPORTS: "false",
    WRANGLER_HIDE_BANNER: "true",
    WRANGLER_LOG_PATH: join(own, "logs"),
    WRANGLER_CACHE_DIR: join(own, "cache"),
    // Otherwise shared with every `wrangler dev` of this user.
    WRANGLER_REGISTRY_PATH: join(own, "registry"),
    // Otherwise the placement of this machine is asked for at workers.cloudflare.com.
    CLOUDFLARE_CF_FETCH_ENABLED: "false",
    // Both are on by default; the first stores a trace of every request.
    X_LOCAL_OBSERVABILITY: "false",
    X_LOCAL_EXPLORER: "false",
    ...process.env,
    PATH: [join(ROOT, "node_modules", ".bin"), process.env.PATH].join(delimiter),
  };
}
