import { KEY_CACHE_MS, type ProblemBody } from "@tidemark/contract";
import type { Key } from "@tidemark/contract/key-schema";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { call, json, makeProject } from "../../../test/fixture.ts";

const NOW = Date.parse("2026-11-21T15:30:00Z");

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
});

type NewKey = Key & { key: string };

describe("a key", () => {
  test("is shown once and works at once", async () => {
    const project = await makeProject();
    const made = await json<NewKey>(project, "POST /v1/keys", {
      body: { name: "console", scopes: ["read"] },
      status: 201,
    });
    expect(made).toEqual({
      id: expect.stringMatching(/^[0-9A-Za-z]{12}$/) as string,
      name: "console",
      scopes: ["read"],
      created_at: "2026-11-21T15:30:00Z",
      revoked_at: null,
      key: expect.stringMatching(/^tm_read_[0-9A-Za-z]{12}_[0-9A-Za-z]{38}$/) as string,
    });
    await json(project, "GET /v1/metrics", { key: made.key });
    const stored = await env.DB.prepare("SELECT * FROM api_keys WHERE id = ?").bind(made.id).first();
    expect(JSON.stringify(stored)).not.toContain(made.key.slice(-38, -6));
    const { data } = await json<{ data: Key[] }>(project, "GET /v1/keys");
    const { key: _key, ...listed } = made;
    expect(data[0]).toEqual(listed);
    expect(data).toHaveLength(4);
  });

  test.each([
    [["ingest"], "tm_ingest_"],
    [["read", "ingest"], "tm_ingest_"],
    [["read", "admin"], "tm_admin_"],
  ])("with the scopes %j begins with %s", async (scopes, start) => {
    const project = await makeProject();
    const made = await json<NewKey>(project, "POST /v1/keys", { body: { name: "k", scopes }, status: 201 });
    expect([made.key.startsWith(start), made.scopes]).toEqual([true, scopes]);
  });

  test("that was revoked stops within ten seconds", async () => {
    const project = await makeProject();
    const { id, key } = await json<NewKey>(project, "POST /v1/keys", {
      body: { name: "leaked", scopes: ["admin"] },
      status: 201,
    });
    await json(project, "GET /v1/metrics", { key });
    expect((await call(project, `DELETE /v1/keys/${id}`)).status).toBe(204);
    vi.setSystemTime(NOW + KEY_CACHE_MS);
    const problem = await json<ProblemBody>(project, "GET /v1/metrics", { key, status: 401 });
    expect(problem.code).toBe("invalid_key");
    const { data } = await json<{ data: Key[] }>(project, "GET /v1/keys");
    expect(data.find((one) => one.id === id)?.revoked_at).toBe("2026-11-21T15:30:00Z");
    expect((await call(project, `DELETE /v1/keys/${id}`)).status).toBe(204);
    expect((await call(project, "DELETE /v1/keys/nope")).status).toBe(404);
  });

  test.each([
    [{ name: "k" }, "/scopes", "missing"],
    [{ name: "k", scopes: [] }, "/scopes", "too_small"],
    [{ name: "k", scopes: ["root"] }, "/scopes/0", "invalid_value"],
    [{ name: "k", scopes: ["read", "read"] }, "/scopes", "invalid_value"],
    [{ name: " ", scopes: ["read"] }, "/name", "too_small"],
    [{ name: "k", scopes: ["read"], project_id: "other" }, "/project_id", "unknown_field"],
  ])("is not made of %j", async (body, pointer, code) => {
    const problem = await json<ProblemBody>(await makeProject(), "POST /v1/keys", { body, status: 400 });
    expect(problem.errors?.map((error) => [error.pointer, error.code])).toEqual([[pointer, code]]);
  });
});

test("keys are listed page by page, newest first, each once", async () => {
  const project = await makeProject();
  for (let i = 0; i < 4; i++) {
    vi.setSystemTime(NOW + Math.floor(i / 2));
    await json(project, "POST /v1/keys", { body: { name: `k${i}`, scopes: ["read"] }, status: 201 });
  }
  const seen: string[] = [];
  let cursor = "";
  do {
    const page = await json<{ data: Key[]; next_cursor: string | null }>(project, `GET /v1/keys?limit=3${cursor}`);
    seen.push(...page.data.map(({ name }) => name));
    cursor = page.next_cursor === null ? "" : `&cursor=${page.next_cursor}`;
  } while (cursor !== "");
  expect(seen.toSorted()).toEqual(["admin key", "ingest key", "k0", "k1", "k2", "k3", "read key"]);
  expect(seen.slice(0, 2).toSorted()).toEqual(["k2", "k3"]);
});
