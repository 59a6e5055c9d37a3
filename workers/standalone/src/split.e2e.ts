import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { eventually } from "@tidemark/testing/api-client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestHarness } from "wrangler";

const sh = promisify(execFile);
const ROOT = join(import.meta.dirname, "../../..");
const secrets = { KEY_PEPPER: "7b".repeat(32) };
const harness = createTestHarness({
  workers: [
    { configPath: join(ROOT, "workers/ingest/wrangler.toml"), secrets },
    { configPath: join(ROOT, "workers/consumer/wrangler.toml"), secrets },
    { configPath: join(ROOT, "workers/query/wrangler.toml"), secrets },
  ],
});

beforeAll(async () => {
  await harness.listen();
});
afterAll(async () => {
  await harness.close();
});

interface Usage {
  readonly live: boolean;
  readonly data: readonly { readonly value: string }[];
}

test("three Workers deployed apart count an event and show it", async () => {
  const [ingest, query] = [harness.getWorker("tidemark-ingest"), harness.getWorker("tidemark-query")];
  await query.applyD1Migrations("DB");
  const { DB } = (await query.getEnv()) as { DB: D1Database };
  // The first key as the README has it made: SQL on the standard output, the key beside it.
  const made = await sh("node", [join(ROOT, "scripts/first-key.ts")], { env: { ...process.env, ...secrets } });
  await DB.batch(
    made.stdout
      .trim()
      .split(/(?<=;)\s/)
      .map((sql) => DB.prepare(sql)),
  );
  const key = made.stderr.trim().split("\n").at(-1) ?? "";
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const metric = { name: "Calls", event_matchers: [{ event: "call" }], aggregation: "count" };
  const defined = await query.fetch("https://tidemark.example/v1/metrics", {
    method: "POST",
    headers,
    body: JSON.stringify(metric),
  });
  expect(defined.status).toBe(201);
  const event = JSON.stringify({ id: "1", event: "call", customer_id: "acme" });
  for (let again = 0; again < 2; again++) {
    const posted = await ingest.fetch("https://tidemark.example/v1/events", { method: "POST", headers, body: event });
    expect(posted.status).toBe(202);
  }
  const read = async (path: string): Promise<unknown> =>
    (await query.fetch(`https://tidemark.example${path}`, { headers })).json();
  const usage = await eventually(
    () => read("/v1/usage?metric=calls&customer_id=acme&grain=month") as Promise<Usage>,
    ({ data }) => data.some((bucket) => bucket.value === "1"),
    10_000,
  );
  expect([usage.live, usage.data.map((bucket) => bucket.value).filter((value) => value !== "0")]).toEqual([
    true,
    ["1"],
  ]);
  const report = await eventually(
    () => read("/v1/reports/top-customers?metric=calls") as Promise<{ data: { customer_id: string; total: string }[] }>,
    ({ data }) => data.length > 0,
    20_000,
  );
  expect(report.data).toMatchObject([{ customer_id: "acme", total: "1" }]);
});
