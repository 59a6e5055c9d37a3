import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

/**
 * `npm run verify` and `npm run rebuild`: begins the job on a running platform, waits for its end, and
 * prints what it found. A verification that finds a difference ends with code 1.
 */
const USAGE = `usage: npm run verify|rebuild -- [--customer id] [--from YYYY-MM-DD] [--to YYYY-MM-DD] [--url http://127.0.0.1:8787] [--key admin key]

Without --key, TIDEMARK_KEY is taken, or the admin key of the local state directory.`;

const POLL_MS = 500;

interface Job {
  readonly id: string;
  readonly state: "waiting" | "running" | "done" | "failed";
  readonly phase: string;
  readonly objects: number;
  readonly objects_total: number;
  readonly events: number;
  readonly uncounted: number;
  readonly customers: number;
  readonly days: number;
  readonly pending: number;
  readonly difference_count: number;
  readonly differences: readonly {
    readonly customer_id: string | null;
    readonly metric_id: string | null;
    readonly day: string | null;
    readonly detail: string;
  }[];
  readonly error: string | null;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    customer: { type: "string" },
    from: { type: "string" },
    to: { type: "string" },
    url: { type: "string", default: process.env["TIDEMARK_URL"] ?? "http://127.0.0.1:8787" },
    key: { type: "string", default: process.env["TIDEMARK_KEY"] ?? localKey() },
  },
});
const [kind] = positionals;
if ((kind !== "verify" && kind !== "rebuild") || values.key === "") {
  console.error(USAGE);
  process.exit(2);
}
const begun = await call("/v1/jobs", { kind, customer_id: values.customer, from: values.from, to: values.to });
const ended = await untilEnded(begun);
report(ended);
process.exitCode = ended.state === "failed" || (kind === "verify" && ended.difference_count > 0) ? 1 : 0;

function localKey(): string {
  const file = join(process.env["TIDEMARK_STATE"] ?? ".tidemark", "keys.json");
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as { readonly admin: string }).admin : "";
}

async function call(path: string, body?: unknown): Promise<Job> {
  const response = await fetch(new URL(path, values.url), {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${values.key}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer = await response.json<Job & { readonly detail?: string }>();
  if (!response.ok) {
    console.error(`${path} answered ${response.status}: ${answer.detail ?? ""}`);
    process.exit(1);
  }
  return answer;
}

async function untilEnded(job: Job): Promise<Job> {
  let shown = "";
  for (;;) {
    const now = await call(`/v1/jobs/${job.id}`);
    const line = `${now.phase}: ${now.objects} of ${now.objects_total} archive objects, ${now.customers} customers compared`;
    if (line !== shown) console.error(line);
    shown = line;
    if (now.state === "done" || now.state === "failed") return now;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function report(job: Job): void {
  for (const { customer_id, metric_id, day, detail } of job.differences)
    console.log(`${day ?? ""} ${metric_id ?? ""} ${customer_id ?? ""}: ${detail}`);
  console.log(
    `${job.state}: ${job.events} events, ${job.customers} customers, ${job.days} days, ${job.pending} on their way to the database, ` +
      `${job.uncounted} events not counted, ${job.difference_count} differences`,
  );
  if (job.error !== null) console.log(job.error);
}
