import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ApiClient, eventually } from "@tidemark/testing/api-client";
import { type Server, startServer } from "@tidemark/testing/server";
import { afterAll, beforeAll, expect, test } from "vitest";

const FLUSHED_MS_MAX = 60_000;
const HOUR_MS = 3_600_000;
const DASHBOARD = join(import.meta.dirname, "../../../grafana/dashboard.json");

interface Target {
  readonly url?: string;
  readonly root_selector?: string;
  readonly columns?: readonly { readonly selector: string }[];
  readonly expr?: string;
}

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly targets?: readonly Target[];
}

interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly query: string | { readonly infinityQuery: Target } }[];
  };
}

const dashboard = JSON.parse(readFileSync(DASHBOARD, "utf8")) as Dashboard;
const targets = dashboard.panels.flatMap(({ targets: own = [] }) => own);
let server: Server;
let read: ApiClient;

beforeAll(async () => {
  server = await startServer({ demo: false });
  read = new ApiClient(server.url, server.keys.read);
  await new ApiClient(server.url, server.keys.admin).post("/v1/metrics", {
    name: "Tokens",
    aggregation: "sum",
    value_property: "tokens",
    event_matchers: [{ event: "llm_call" }],
    group_by: ["status"],
  });
  await new ApiClient(server.url, server.keys.ingest).post("/v1/events", [
    { event: "llm_call", customer_id: "acme", properties: { tokens: 7, status: 200 } },
    { event: "llm_call", customer_id: "acme", properties: { tokens: "many", status: 200 } },
  ]);
  await eventually(
    async () => read.get<{ readonly data: readonly unknown[] }>("/v1/events/rejected?metric=tokens"),
    ({ data }) => data.length > 0,
    FLUSHED_MS_MAX,
  );
}, 2 * FLUSHED_MS_MAX);
afterAll(async () => {
  await server.stop();
});

/** What Grafana makes of its variables. */
function fill(text: string): string {
  const now = Date.now();
  const values: Readonly<Record<string, string>> = {
    "${metric}": "tokens",
    $metric: "tokens",
    "${__from:date:iso}": new Date(now - 24 * HOUR_MS).toISOString(),
    "${__to:date:iso}": new Date(now).toISOString(),
  };
  return Object.entries(values).reduce((filled, [name, value]) => filled.replaceAll(name, value), text);
}

/** A cell, by a path of fields. */
function at(row: unknown, path: string): unknown {
  let value = row;
  for (const field of path.split(".")) value = (value as Readonly<Record<string, unknown>> | null)?.[field];
  return value;
}

test("every panel has an id and a title of its own", () => {
  for (const names of [dashboard.panels.map(({ id }) => String(id)), dashboard.panels.map(({ title }) => title)])
    expect(new Set(names).size).toBe(names.length);
});

test("every address of the dashboard answers, with the columns that are shown", async () => {
  const metrics = dashboard.templating.list.flatMap(({ query }) =>
    typeof query === "string" ? [] : [query.infinityQuery],
  );
  const asked = [...targets, ...metrics].filter(({ url }) => url !== undefined);
  expect(asked.length).toBeGreaterThan(6);
  const filled = new Set<string>();
  for (const { url = "", root_selector = "", columns = [] } of asked) {
    const rows = at(await read.get(fill(url)), root_selector) as readonly unknown[];
    expect(Array.isArray(rows), url).toBe(true);
    if (rows.length > 0) filled.add(new URL(url, server.url).pathname);
    for (const row of rows) {
      for (const { selector } of columns) expect(at(row, selector), `${selector} of ${url}`).toBeDefined();
    }
  }
  expect([...filled].toSorted()).toEqual([
    "/v1/events/rejected",
    "/v1/metrics",
    "/v1/reports/error-rate",
    "/v1/reports/top-customers",
    "/v1/usage",
  ]);
});

test("every figure that the dashboard draws is in /metrics", async () => {
  const headers = { authorization: `Bearer ${server.keys.read}` };
  const text = await (await fetch(new URL("/metrics", server.url), { headers })).text();
  const drawn = targets.flatMap(({ expr }) => (expr === undefined ? [] : [/^\w+/.exec(expr)?.[0] ?? ""]));
  expect(drawn.length).toBeGreaterThan(6);
  for (const name of drawn) expect(text).toMatch(new RegExp(`^# TYPE ${name} gauge$`, "m"));
  expect(text).toMatch(/^tidemark_metric_rejected_today\{metric="tokens"\} 1$/m);
});
