import { IDEMPOTENT_ANSWER_MS, IDEMPOTENT_PROGRESS_MS } from "@tidemark/contract/query-limits";
import type { ProblemBody } from "@tidemark/contract";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { call, json, makeMetric, makeProject, type TestProject } from "../../test/fixture.ts";

const NOW = Date.parse("2026-11-21T15:30:00Z");
const METRIC = { name: "A", aggregation: "count", event_matchers: [{ event: "a" }] };

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
});

function post(project: TestProject, key: string, body: unknown = METRIC, path = "/v1/metrics"): Promise<Response> {
  return call(project, `POST ${path}`, { body, headers: { "idempotency-key": key } });
}

async function countMetrics(project: TestProject): Promise<number | null> {
  return env.DB.prepare("SELECT COUNT(*) AS n FROM metrics WHERE project_id = ?").bind(project.id).first<number>("n");
}

describe("a request that is sent again with its key", () => {
  test("gets the first answer, and changes nothing", async () => {
    const project = await makeProject();
    const first = await post(project, "k1");
    const again = await post(project, "k1");
    expect([first.status, again.status]).toEqual([201, 201]);
    expect([first.headers.get("idempotent-replayed"), again.headers.get("idempotent-replayed")]).toEqual([
      null,
      "true",
    ]);
    expect(await again.text()).toBe(await first.text());
    expect(await countMetrics(project)).toBe(1);
  });

  test("is made once when both arrive together", async () => {
    const project = await makeProject();
    const answers = await Promise.all([1, 2, 3, 4].map(() => post(project, "k1")));
    expect(await countMetrics(project)).toBe(1);
    expect(answers.filter(({ status }) => status === 201).length).toBeGreaterThan(0);
    for (const answer of answers) expect([201, 409]).toContain(answer.status);
  });

  test("but says something else is refused", async () => {
    const project = await makeProject();
    await post(project, "k1");
    for (const [body, path] of [
      [{ ...METRIC, name: "B" }, "/v1/metrics"],
      [METRIC, "/v1/publications"],
    ] as const) {
      const response = await post(project, "k1", body, path);
      expect(response.status).toBe(409);
      expect((await response.json<ProblemBody>()).detail).toContain("another request");
    }
  });

  test("is tried again when the first failed", async () => {
    const project = await makeProject();
    expect((await post(project, "k1", { ...METRIC, name: "" })).status).toBe(400);
    expect((await post(project, "k1")).status).toBe(201);
  });

  test("is another project's own", async () => {
    const [one, two] = [await makeProject(), await makeProject()];
    await post(one, "k1");
    expect((await post(two, "k1")).headers.get("idempotent-replayed")).toBeNull();
  });

  test("is forgotten after a day", async () => {
    const project = await makeProject();
    await post(project, "k1");
    vi.setSystemTime(NOW + IDEMPOTENT_ANSWER_MS);
    expect((await post(project, "k1")).headers.get("idempotent-replayed")).toBe("true");
    vi.setSystemTime(NOW + IDEMPOTENT_ANSWER_MS + 1);
    expect((await post(project, "k1")).headers.get("idempotent-replayed")).toBeNull();
    expect(await countMetrics(project)).toBe(2);
  });

  test("waits for one that is being worked on, and is let through when that one died", async () => {
    const project = await makeProject();
    await post(project, "k1");
    await env.DB.prepare("UPDATE idempotent_answers SET status = 0, body = '' WHERE project_id = ?")
      .bind(project.id)
      .run();
    const waiting = await post(project, "k1");
    expect([waiting.status, waiting.headers.get("retry-after")]).toEqual([409, "1"]);
    vi.setSystemTime(NOW + IDEMPOTENT_PROGRESS_MS + 1);
    expect((await post(project, "k1")).status).toBe(201);
  });
});

describe("an answer with a secret is not kept", () => {
  test.each([
    ["/v1/keys", { name: "k", scopes: ["read"] }, "key"],
    ["/v1/publications", { report: "top-customers", params: { metric: "api_requests" }, title: "T" }, "public_url"],
  ])("of %s: a repeat learns the id and what to do", async (path, body, field) => {
    const project = await makeProject();
    await makeMetric(project);
    const first = await (await post(project, "k1", body, path)).json<Record<string, string>>();
    const again = await post(project, "k1", body, path);
    const problem = await again.json<ProblemBody>();
    expect([again.status, problem.code]).toEqual([409, "conflict"]);
    expect(problem.detail).toContain(first["id"]);
    expect(problem.detail).toMatch(/rotate|new Idempotency-Key/);
    const stored = await env.DB.prepare("SELECT * FROM idempotent_answers WHERE project_id = ?")
      .bind(project.id)
      .first();
    expect(stored).toMatchObject({ body: first["id"], status: 201 });
    expect(JSON.stringify(stored)).not.toContain(first[field]);
  });

  test("of a rotation either", async () => {
    const project = await makeProject();
    await makeMetric(project);
    const body = { report: "top-customers", params: { metric: "api_requests" }, title: "T" };
    const { id } = await json<{ id: string }>(project, "POST /v1/publications", { body, status: 201 });
    const path = `/v1/publications/${id}/rotate`;
    expect((await post(project, "k1", undefined, path)).status).toBe(200);
    expect((await post(project, "k1", undefined, path)).status).toBe(409);
  });
});

test.each(["", " ", "a b", "ü", "x".repeat(256)])("the key %j is refused", async (key) => {
  const project = await makeProject();
  const response = await post(project, key).catch(() => undefined);
  // Some are no header at all.
  if (response === undefined) return;
  const problem = await response.json<ProblemBody>();
  expect([response.status, problem.errors?.[0]?.pointer]).toEqual([400, "/Idempotency-Key"]);
});
