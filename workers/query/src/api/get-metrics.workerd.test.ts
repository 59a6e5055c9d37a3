import { insertQuarantine } from "@tidemark/db/quarantine-entries";
import { insertWatches } from "@tidemark/db/watches";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { call, makeMetric, makeProject, store, type TestProject } from "../../test/fixture.ts";
import type { QueryEnv } from "../env.ts";
import { type ParsedFamily, parseOpenMetrics } from "../../test/parse-openmetrics.ts";

async function read(
  project: TestProject,
  query = "",
  options: Parameters<typeof call>[2] = {},
): Promise<ReadonlyMap<string, ParsedFamily["samples"]>> {
  const response = await call(project, `GET /metrics${query}`, { key: project.keys.read, ...options });
  expect(response.headers.get("content-type")).toBe("application/openmetrics-text; version=1.0.0; charset=utf-8");
  return new Map(parseOpenMetrics(await response.text()).map(({ name, samples }) => [name, samples]));
}

/** The value of a family's sample with these labels. */
function valueOf(
  families: ReadonlyMap<string, ParsedFamily["samples"]>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const wanted = JSON.stringify(labels);
  return families.get(name)?.find((sample) => JSON.stringify(sample.labels) === wanted)?.value;
}

test("a new project has every family, and nothing in it", async () => {
  const families = await read(await makeProject());
  expect(valueOf(families, "tidemark_customers")).toBe(0);
  expect(valueOf(families, "tidemark_flush_lag_seconds")).toBe(0);
  expect(valueOf(families, "tidemark_quarantine_events", { reason: "conflict" })).toBe(0);
  expect(valueOf(families, "tidemark_jobs", { state: "failed" })).toBe(0);
  expect(valueOf(families, "tidemark_deliveries", { state: "failed" })).toBe(0);
  expect(families.get("tidemark_metric_events_today")).toEqual([]);
});

test("events are told by metric and by day, whoever's they are", async () => {
  const project = await makeProject();
  const calls = await makeMetric(project, { slug: "calls" });
  await makeMetric(project, { slug: "silent" });
  const now = Date.now();
  await store(project, calls.id, [
    { customer: "acme", at: now },
    { customer: "acme", at: now },
    { customer: "zeta", at: now },
    { customer: "zeta", at: now - 3 * 86_400_000 },
    { customer: "zeta", at: now - 50 * 86_400_000 },
  ]);
  const families = await read(project, "?by=customer&metric=calls&top=1");
  expect(valueOf(families, "tidemark_metric_events_today", { metric: "calls" })).toBe(3);
  expect(valueOf(families, "tidemark_metric_events_today", { metric: "silent" })).toBe(0);
  expect(valueOf(families, "tidemark_metric_events_before_today", { metric: "calls" })).toBe(1);
  expect(valueOf(families, "tidemark_customers")).toBe(2);
  expect(families.get("tidemark_customer_events_today")).toEqual([
    { name: "tidemark_customer_events_today", labels: { metric: "calls", customer_id: "acme" }, value: 2 },
  ]);
});

test("what waits is told by its reason, and no other project's", async () => {
  const [project, other] = [await makeProject(), await makeProject()];
  const entry = { reason: "conflict", detail: "", customer_id: null, at: Date.now(), body: "{}" } as const;
  const due = { due_at: Date.now() - 90_000, id: project.id, project_id: project.id, watches: [] };
  await env.DB.batch([
    insertQuarantine(env.DB, project.id, { ...entry, id: "q1" }),
    insertQuarantine(env.DB, project.id, { ...entry, id: "q2", reason: "forgotten" }),
    insertQuarantine(env.DB, project.id, { ...entry, id: "q3" }),
    insertWatches(env.DB, due),
  ]);
  await env.DB.prepare("UPDATE quarantine SET replayed_at = 1 WHERE project_id = ? AND id = 'q3'")
    .bind(project.id)
    .run();
  const families = await read(project);
  expect(valueOf(families, "tidemark_quarantine_events", { reason: "conflict" })).toBe(1);
  expect(valueOf(families, "tidemark_quarantine_events", { reason: "forgotten" })).toBe(1);
  expect(valueOf(families, "tidemark_flush_lag_seconds")).toBeGreaterThanOrEqual(90);
  const others = await read(other);
  expect(valueOf(others, "tidemark_quarantine_events", { reason: "conflict" })).toBe(0);
  expect(valueOf(others, "tidemark_flush_lag_seconds")).toBe(0);
});

test("what cannot be counted is left out, and not tried again within the hour", async () => {
  const project = await makeProject();
  const metric = await makeMetric(project, { slug: "calls" });
  const now = Date.now();
  await store(project, metric.id, [
    { customer: "acme", at: now },
    { customer: "acme", at: now - 86_400_000 },
  ]);
  let tries = 0;
  const prepare = (sql: string): D1PreparedStatement => {
    if (!sql.includes("FROM customers")) return env.DB.prepare(sql);
    tries++;
    throw new Error("D1 took too long");
  };
  const batch = (list: D1PreparedStatement[]) => env.DB.batch(list);
  const bindings = { DB: { prepare, batch } as unknown as D1Database };
  for (let scrape = 0; scrape < 3; scrape++) {
    const families = await read(project, "", { bindings });
    expect(families.get("tidemark_metric_events_before_today")).toEqual([]);
    expect(families.get("tidemark_customers")).toEqual([]);
    expect(valueOf(families, "tidemark_metric_events_today", { metric: "calls" })).toBe(1);
    expect(valueOf(families, "tidemark_events_complete", { days: "before_today" })).toBe(0);
    expect(valueOf(families, "tidemark_events_complete", { days: "today" })).toBe(1);
  }
  expect(tries).toBe(1);
});

test("the deployment's queues are told to keys of admins alone", async () => {
  const project = await makeProject();
  const bindings = {
    EVENTS: { metrics: async () => ({ backlogCount: 3, backlogBytes: 900 }) } as unknown as QueryEnv["EVENTS"],
  };
  const messages = async (key: string): Promise<number | undefined> =>
    valueOf(await read(project, "", { key, bindings }), "tidemark_queue_backlog_messages", { queue: "events" });
  expect(await messages(project.keys.admin)).toBe(3);
  expect(await messages(project.keys.read)).toBeUndefined();
});

test.each([
  ["?by=customer", 400, "/metric: Is required with `by=customer`."],
  ["?by=label", 400, '/by: Must be "customer".'],
  ["?by=customer&metric=nothing", 404, "metric"],
])("a question that cannot be answered says why: %s", async (query, status, said) => {
  const response = await call(await makeProject(), `GET /metrics${query}`);
  expect(response.status).toBe(status);
  expect((await response.json<{ detail: string }>()).detail).toContain(said);
});
