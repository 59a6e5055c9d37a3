import type { ProblemBody } from "@tidemark/contract";
import type { Publication } from "@tidemark/contract/publication-schema";
import { DAY_MS } from "@tidemark/core/timestamp";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { call, json, makeMetric, makeProject } from "../../../test/fixture.ts";
import { NOW, open, publish, type Published, RANKING } from "../../../test/publication.ts";

const NO_REPORT = { report: undefined, params: undefined };
const QUERY = { metric: "api_requests", group_by: ["customer"] };

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
});

describe("publishing", () => {
  test("answers the link once, and keeps only a hash of its key", async () => {
    const { project, made, key } = await publish();
    expect(made).toEqual({
      id: expect.stringMatching(/^pub_[0-9A-Za-z]{20}$/) as string,
      ...RANKING,
      options: { alias_customers: false, theme: "auto" },
      created_at: "2026-11-21T15:30:00Z",
      rotated_at: null,
      expires_at: null,
      revoked_at: null,
      public_url: `http://localhost/q/${made.id}?key=${key}`,
    });
    expect(key).toMatch(/^[0-9A-Za-z]{32}$/);
    const { public_url: _url, ...listed } = made;
    expect(await json(project, "GET /v1/publications")).toEqual({ data: [listed], next_cursor: null });
    const stored = await env.DB.prepare("SELECT * FROM publications WHERE id = ?").bind(made.id).first();
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(key));
    expect(stored?.["key_hash"]).toBe(
      Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join(""),
    );
    expect(JSON.stringify(stored)).not.toContain(key);
  });

  test.each([
    [{ report: "topmost" }, "/report", "invalid_value"],
    [{ report: undefined }, "/report", "invalid_value"],
    [{ params: undefined }, "/params", "missing"],
    [{ query: { metric: "api_requests" } }, "/query", "invalid_value"],
    [{ params: { metric: "nope" } }, "/params/metric", "unknown_metric"],
    [{ params: { metric: "api_requests", days: 201 } }, "/params/days", "too_big"],
    [{ params: { metric: "api_requests", sql: "1" } }, "/params/sql", "unknown_field"],
    [{ title: "" }, "/title", "too_small"],
    [{ title: "a\u0007" }, "/title", "invalid_value"],
    [{ expires_at: "tomorrow" }, "/expires_at", "invalid_value"],
    [{ expires_at: "2026-11-21T15:30:00Z" }, "/expires_at", "invalid_value"],
    [{ report: "growing", params: { metric: "api_requests", days: 1 } }, "/params/days", "too_small"],
    [{ report: "heavy-labels", params: { metric: "api_requests", label: "nope" } }, "/params/label", "unknown_label"],
    [{ ...NO_REPORT, query: { metric: "nope" } }, "/query/metric", "unknown_metric"],
    [{ ...NO_REPORT, query: {} }, "/query/metric", "missing"],
    [{ ...NO_REPORT, query: { ...QUERY, range: { from: "2026-11-01" } } }, "/query/range/to", "invalid_value"],
    [
      { ...NO_REPORT, query: { ...QUERY, order_by: [{ by: "customer" }] }, options: { alias_customers: true } },
      "/query/order_by/0/by",
      "invalid_value",
    ],
    [{ options: { theme: "pink" } }, "/options/theme", "invalid_value"],
    [{ options: { limit: 5 } }, "/options/limit", "unknown_field"],
    [{ locked: true }, "/locked", "unknown_field"],
  ])("refuses %j", async (change, pointer, code) => {
    const project = await makeProject();
    await makeMetric(project);
    const problem = await json<ProblemBody>(project, "POST /v1/publications", {
      body: { ...RANKING, ...change },
      status: 400,
    });
    expect(problem.errors?.map((error) => [error.pointer, error.code])).toEqual([[pointer, code]]);
  });

  test("lists page by page, newest first", async () => {
    const { project } = await publish();
    for (let i = 1; i <= 4; i++) {
      vi.setSystemTime(NOW + Math.floor(i / 2));
      await json(project, "POST /v1/publications", { body: { ...RANKING, title: `t${i}` }, status: 201 });
    }
    const seen: string[] = [];
    let cursor = "";
    do {
      const page = await json<{ data: Publication[]; next_cursor: string | null }>(
        project,
        `GET /v1/publications?limit=2${cursor}`,
      );
      seen.push(...page.data.map(({ title }) => title));
      cursor = page.next_cursor === null ? "" : `&cursor=${page.next_cursor}`;
    } while (cursor !== "");
    expect(seen.toSorted()).toEqual([RANKING.title, "t1", "t2", "t3", "t4"]);
    expect(seen[0]).toBe("t4");
  });
});

describe("a link can be taken back", () => {
  test("by rotating: the old key stops at once and the new one opens", async () => {
    const { project, made, path, key } = await publish();
    const rotated = await json<Published>(project, `POST /v1/publications/${made.id}/rotate`);
    expect(rotated).toEqual({
      ...made,
      rotated_at: "2026-11-21T15:30:00Z",
      public_url: expect.not.stringContaining(key) as string,
    });
    expect((await open(project, `${path}?key=${key}`)).status).toBe(404);
    expect(
      (await open(project, new URL(rotated.public_url).pathname + new URL(rotated.public_url).search)).status,
    ).toBe(200);
  });

  test("by revoking, for good", async () => {
    const { project, made, path, key } = await publish();
    expect((await call(project, `DELETE /v1/publications/${made.id}`)).status).toBe(204);
    expect((await call(project, `DELETE /v1/publications/${made.id}`)).status).toBe(204);
    expect((await open(project, `${path}?key=${key}`)).status).toBe(404);
    const list = await json<{ data: Publication[] }>(project, "GET /v1/publications");
    expect(list.data[0]?.revoked_at).toBe("2026-11-21T15:30:00Z");
    const problem = await json<ProblemBody>(project, `POST /v1/publications/${made.id}/rotate`, { status: 409 });
    expect(problem.detail).toContain("revoked");
  });

  test("and an expired one is published again, not rotated", async () => {
    const { project, made } = await publish({ expires_at: "2026-11-22T00:00:00Z" });
    vi.setSystemTime(NOW + DAY_MS);
    await json(project, `POST /v1/publications/${made.id}/rotate`, { status: 409 });
  });

  test("but not one that does not exist", async () => {
    const project = await makeProject();
    await json(project, "POST /v1/publications/pub_nope/rotate", { status: 404 });
    await json(project, "DELETE /v1/publications/pub_nope", { status: 404 });
  });
});

describe("a publication", () => {
  test("can be read, without its link", async () => {
    const { project, made } = await publish({ options: { alias_customers: true } });
    const { public_url: _url, ...publication } = made;
    expect(publication.options).toEqual({ alias_customers: true, theme: "auto" });
    expect(await json(project, `GET /v1/publications/${made.id}`)).toEqual(publication);
    await json(await makeProject(), `GET /v1/publications/${made.id}`, { status: 404 });
  });

  test("takes another title and another end, and nothing else", async () => {
    const { project, made } = await publish();
    const change = (body: object, status = 200) =>
      json<Publication>(project, `PATCH /v1/publications/${made.id}`, { body, status });
    const expires_at = "2027-01-01T00:00:00Z";
    expect(await change({ title: "New", expires_at })).toMatchObject({ title: "New", expires_at });
    expect(await change({ expires_at: null })).toMatchObject({ title: "New", expires_at: null });
    expect(await change({})).toMatchObject({ title: "New", expires_at: null });
    for (const refused of [{ params: {} }, { options: {} }, { expires_at: "2026-11-21T15:30:00Z" }, { title: "" }])
      await change(refused, 400);
    await json(await makeProject(), `PATCH /v1/publications/${made.id}`, { body: {}, status: 404 });
    await call(project, `DELETE /v1/publications/${made.id}`);
    await change({ title: "Late" }, 409);
  });

  test("made by an earlier release is shown as it was", async () => {
    const { project, made, path, key } = await publish();
    const query = JSON.stringify({ report: made.report, params: made.params });
    await env.DB.prepare("UPDATE publications SET query = ? WHERE id = ?").bind(query, made.id).run();
    const { public_url: _url, ...publication } = made;
    expect(await json(project, `GET /v1/publications/${made.id}`)).toEqual(publication);
    expect((await open(project, `${path}?key=${key}`)).status).toBe(200);
  });
});
