import type { ProblemBody } from "@tidemark/contract";
import type { DigestAnswer } from "@tidemark/contract/digest-schema";
import { DIGESTS_MAX } from "@tidemark/contract/query-limits";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { addDestination, DIGEST, makeDigest, makeDigestProject } from "../../../test/digest-fixture.ts";
import { call, json, makeProject } from "../../../test/fixture.ts";

beforeEach(() => {
  // A Saturday.
  vi.useFakeTimers({ toFake: ["Date"], now: Date.parse("2026-11-21T15:30:00Z") });
});
afterEach(() => {
  vi.useRealTimers();
});

describe("a digest", () => {
  test("is made, read, listed, changed and deleted", async () => {
    const { project } = await makeDigestProject("Europe/Berlin");
    const made = await makeDigest(project);
    expect(made).toEqual({
      id: expect.stringMatching(/^dig_/) as string,
      ...DIGEST,
      weekday: 1,
      hour: 9,
      next_at: "2026-11-23T08:00:00Z",
      last_error: null,
      created_at: "2026-11-21T15:30:00Z",
      updated_at: "2026-11-21T15:30:00Z",
    });
    expect(await json(project, `GET /v1/digests/${made.id}`)).toEqual(made);
    expect(await json(project, "GET /v1/digests")).toEqual({ data: [made], next_cursor: null });
    const body = { name: "Friday", weekday: 5, hour: 16 };
    const changed = await json<DigestAnswer>(project, `PATCH /v1/digests/${made.id}`, { body });
    expect(changed).toMatchObject({ ...body, next_at: "2026-11-27T15:00:00Z", updated_at: "2026-11-21T15:30:00.001Z" });
    expect((await call(project, `DELETE /v1/digests/${made.id}`)).status).toBe(204);
    expect((await call(project, `GET /v1/digests/${made.id}`)).status).toBe(404);
    expect((await call(project, `DELETE /v1/digests/${made.id}`)).status).toBe(404);
  });

  test("is listed page by page", async () => {
    const { project } = await makeDigestProject();
    const ids: string[] = [];
    for (let index = 0; index < 3; index++) ids.push((await makeDigest(project)).id);
    const first = await json<{ data: DigestAnswer[]; next_cursor: string }>(project, "GET /v1/digests?limit=2");
    const rest = await json<{ data: DigestAnswer[] }>(project, `GET /v1/digests?cursor=${first.next_cursor}`);
    expect([...first.data, ...rest.data].map(({ id }) => id)).toEqual(ids.toSorted());
  });

  test.each([
    [{ metric: "other" }, "/metric", "unknown_metric"],
    [{ destination_id: "dst_2" }, "/destination_id", "unknown_destination"],
    [{ weekday: 0 }, "/weekday", "too_small"],
    [{ weekday: 8 }, "/weekday", "too_big"],
    [{ hour: 24 }, "/hour", "too_big"],
    [{ name: "=1" }, "/name", "invalid_value"],
    [{ minute: 5 }, "/minute", "unknown_field"],
  ])("with %j is refused", async (change, pointer, code) => {
    const { project } = await makeDigestProject();
    await addDestination(await makeProject(), "dst_2");
    const made = await makeDigest(project);
    for (const [target, body] of [
      ["POST /v1/digests", { ...DIGEST, ...change }],
      [`PATCH /v1/digests/${made.id}`, change],
    ] as const) {
      const { errors } = await json<ProblemBody>(project, target, { body, status: 400 });
      expect(errors?.[0]).toMatchObject({ pointer, code });
    }
  });

  test("of another project is not there", async () => {
    const [{ project }, other] = [await makeDigestProject(), await makeProject()];
    const { id } = await makeDigest(project);
    const targets = ["GET", "DELETE", "PATCH", "POST"].map((method) =>
      method === "POST" ? `POST /v1/digests/${id}/preview` : `${method} /v1/digests/${id}`,
    );
    for (const target of targets) {
      const body = target.startsWith("PATCH") ? { body: { hour: 8 } } : {};
      expect((await call(other, target, body)).status).toBe(404);
    }
    expect(await json(other, "GET /v1/digests")).toEqual({ data: [], next_cursor: null });
  });

  test("needs a key that may change things; reading and previewing needs one that may read", async () => {
    const { project } = await makeDigestProject();
    const { id } = await makeDigest(project);
    const key = project.keys.read;
    expect((await call(project, "POST /v1/digests", { key, body: DIGEST })).status).toBe(403);
    expect((await call(project, `DELETE /v1/digests/${id}`, { key })).status).toBe(403);
    expect((await call(project, `POST /v1/digests/${id}/preview`, { key })).status).toBe(200);
    expect((await call(project, "GET /v1/digests", { key: project.keys.ingest })).status).toBe(403);
  });

  test("beyond the most that a project has is refused", async () => {
    const { project } = await makeDigestProject();
    for (let index = 0; index < DIGESTS_MAX; index++) await makeDigest(project);
    const problem = await json<ProblemBody>(project, "POST /v1/digests", { body: DIGEST, status: 409 });
    expect(problem.detail).toContain(String(DIGESTS_MAX));
  });
});
