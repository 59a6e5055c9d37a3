import { execFile } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { ApiClient, eventually } from "@tidemark/testing/api-client";
import { type MortalServer, newDirectory, startMortalServer } from "@tidemark/testing/server";
import { expect, test } from "vitest";
import { readAccessLog } from "../../../scripts/access-log.ts";

const ROOT = join(import.meta.dirname, "../../..");
const LOG = join(ROOT, "examples/access.log.gz");
const BATCH = 100;

interface Job {
  readonly id: string;
  readonly state: string;
  readonly finished_at: string | null;
}

interface Report {
  readonly data: readonly { readonly customer_id: string; readonly total: string; readonly series: unknown }[];
}

const METRICS = [
  { name: "requests", aggregation: "count", group_by: ["endpoint", "status"] },
  { name: "bytes", aggregation: "sum", value_property: "bytes" },
  { name: "largest", aggregation: "max", value_property: "bytes" },
  { name: "pages", aggregation: "unique", distinct_by: "endpoint" },
] as const;

async function define(server: MortalServer, when: "before" | "after"): Promise<void> {
  const admin = new ApiClient(server.url, server.keys.admin);
  for (const metric of METRICS)
    await admin.post("/v1/metrics", {
      ...metric,
      name: `${metric.name} ${when}`,
      slug: `${metric.name}_${when}`,
      event_matchers: [{ event: "api_request" }],
    });
}

/** Every customer's total and days of a metric. */
async function report(server: MortalServer, slug: string): Promise<unknown> {
  const read = new ApiClient(server.url, server.keys.read);
  const { data } = await read.get<Report>(`/v1/reports/top-customers?metric=${slug}&days=7&limit=500`);
  return data.map(({ customer_id, total, series }) => [customer_id, total, series]);
}

async function inReport(server: MortalServer, slug: string): Promise<number> {
  const read = new ApiClient(server.url, server.keys.read);
  const from = new Date(Date.now() - 10 * 86_400_000).toISOString().slice(0, 10);
  const usage = await read.get<{ data: { value: string }[] }>(`/v1/usage?metric=${slug}&from=${from}`);
  return usage.data.reduce((sum, { value }) => sum + Number(value), 0);
}

async function recount(server: MortalServer, kind: "verify" | "rebuild"): Promise<string> {
  const run = promisify(execFile);
  const env = { ...process.env, TIDEMARK_URL: server.url, TIDEMARK_KEY: server.keys.admin };
  return (await run("npm", ["run", "--silent", kind], { cwd: ROOT, env })).stdout;
}

test("metrics defined after the access log, backfilled, broken off and gone on with, equal those defined before", async () => {
  const stateDirectory = newDirectory();
  let server = await startMortalServer(stateDirectory);
  const everything = readAccessLog(LOG, Date.now() - 3_600_000);
  const events = everything.slice(0, -800);
  const late = everything.slice(-800);
  await define(server, "before");
  let killedAt = 0;
  let ingest = new ApiClient(server.url, server.keys.ingest);
  for (let i = 0; i < events.length; i += BATCH) {
    await ingest.post("/v1/events", events.slice(i, i + BATCH));
    // So that the archive has many objects.
    if (i % (15 * BATCH) === 0) await sleep(1_000);
  }
  await eventually(
    () => inReport(server, "requests_before"),
    (counted) => counted === events.length,
    60_000,
  );

  await define(server, "after");
  for (const { name } of METRICS) {
    const admin = new ApiClient(server.url, server.keys.admin);
    const from = new Date(Date.now() - 10 * 86_400_000).toISOString();
    const begun = admin.post(`/v1/metrics/${name}_after/backfill`, { from });
    // Events that arrive meanwhile, and some of the old ones again.
    const sent = ingest.post("/v1/events", [...late.splice(0, 200), ...events.slice(0, 200)]);
    if (name === "requests") {
      // Whether they were taken nobody knows: in the end everything is sent again.
      for (const request of [begun, sent]) request.catch(() => {});
      await sleep(1_500);
      killedAt = Date.now();
      await server.kill();
      server = await startMortalServer(stateDirectory);
      ingest = new ApiClient(server.url, server.keys.ingest);
    } else await Promise.all([begun, sent]);
    const read = new ApiClient(server.url, server.keys.read);
    const [job] = (await read.get<{ data: readonly Job[] }>("/v1/jobs")).data;
    if (job === undefined) throw new Error("There is a job.");
    const ended = await eventually(
      () => read.get<Job>(`/v1/jobs/${job.id}`),
      ({ state }) => state === "done",
      60_000,
    );
    expect(ended.state).toBe("done");
    expect(Date.parse(ended.finished_at ?? "")).toBeGreaterThan(killedAt);
  }
  // What the local queue held when it was killed is gone; sent again, everything counts once.
  for (let i = 0; i < everything.length; i += 1_000) await ingest.post("/v1/events", everything.slice(i, i + 1_000));
  await eventually(
    () => recount(server, "verify"),
    (output) => output.includes(" 0 on their way") && output.includes(" 0 differences"),
    60_000,
  );
  for (const { name } of METRICS)
    await eventually(
      async () => [await report(server, `${name}_after`), await report(server, `${name}_before`)],
      ([after, before]) => JSON.stringify(after) === JSON.stringify(before),
      60_000,
    ).then(([after, before]) => expect(after, name).toEqual(before));
  expect(await recount(server, "verify")).toContain(" 0 events not counted, 0 differences");
  await server.kill();
});
