import { FAILED_OPENINGS_MAX, PUBLISHED_NEAR_LIMIT_MS, RENDERED_MS_MAX } from "@tidemark/contract/query-limits";
import type { NearLimitAnswer } from "@tidemark/contract/report-schema";
import { DAY_MS } from "@tidemark/core/timestamp";
import { insertNearLimits } from "@tidemark/db/near-limits";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { call, json, recordStatements } from "../../test/fixture.ts";
import { metersThatFail } from "../../test/quota-fixture.ts";
import { makeUsedProject, NOW, open, publish, type Published } from "../../test/publication.ts";
import type { QueryEnv } from "../env.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
});

/** What a test asserts that nobody asks. */
function unasked(name: string): never {
  throw new Error(`${name} was asked`);
}

const NO_METERS = {
  idFromName: () => unasked("a meter"),
  get: () => unasked("a meter"),
} as unknown as QueryEnv["METERS"];

describe("a link that was just opened", () => {
  test.each(["", ".json", ".csv", ".svg"])("is shown again without the database or a meter: %s", async (file) => {
    const { project, path, key } = await publish();
    const target = `${path}${file}?key=${key}&embed=1`;
    const first = recordStatements();
    const shown = await (await open(project, target, { bindings: { DB: first.DB } })).text();
    expect(first.statements.length).toBeGreaterThan(0);
    const second = recordStatements();
    const response = await open(project, target, { bindings: { DB: second.DB, METERS: NO_METERS } });
    expect([response.status, await response.text()]).toEqual([200, shown]);
    expect(second.statements).toEqual([]);
  });

  test("costs few rows when nothing has changed since", async () => {
    const { project, path, key } = await publish();
    await open(project, `${path}?key=${key}`);
    vi.setSystemTime(NOW + RENDERED_MS_MAX);
    const { DB, statements } = recordStatements();
    expect((await open(project, `${path}?key=${key}`, { bindings: { DB } })).status).toBe(200);
    // The publication, project and metric, and the answer that is kept with what it was made of.
    expect(statements).toHaveLength(5);
    for (const { sql } of statements) expect(sql).not.toContain("usage_days");
  });

  test("near a limit is read from the meters, once in a minute", async () => {
    const project = await makeUsedProject();
    const metric = await json<{ id: string }>(project, "GET /v1/metrics/api_requests");
    const balances = [{ metric_id: metric.id, balance: "b", at: NOW, cycle_end: NOW + DAY_MS }];
    await insertNearLimits(env.DB, {
      kind: "near_limits",
      project_id: project.id,
      customer_id: "quiet",
      balances,
    }).run();
    const { path, key } = await publish({ report: "near-limit", params: { metric: "api_requests" } }, project);
    const unanswered = async (target: string, options = {}): Promise<number> =>
      (await (await open(project, target, options)).json<NearLimitAnswer>()).unanswered;
    const later = { bindings: { METERS: metersThatFail() } };
    const file = `${path}.json?key=${key}`;
    expect(await unanswered(file)).toBe(0);
    vi.setSystemTime(NOW + PUBLISHED_NEAR_LIMIT_MS - 1);
    expect(await unanswered(file, later)).toBe(0);
    vi.setSystemTime(NOW + PUBLISHED_NEAR_LIMIT_MS + RENDERED_MS_MAX);
    expect(await unanswered(file, later)).toBe(1);
  });

  test("is closed within ten seconds of being revoked", async () => {
    const { project, made, path, key } = await publish();
    await open(project, `${path}?key=${key}`);
    await call(project, `DELETE /v1/publications/${made.id}`);
    vi.setSystemTime(NOW + RENDERED_MS_MAX);
    expect((await open(project, `${path}?key=${key}`)).status).toBe(404);
  });

  test("is closed within ten seconds of being rotated, and the new one is open at once", async () => {
    const { project, made, path, key } = await publish();
    await open(project, `${path}?key=${key}`);
    const { public_url } = await json<Published>(project, `POST /v1/publications/${made.id}/rotate`);
    const { pathname, search } = new URL(public_url);
    expect((await open(project, pathname + search)).status).toBe(200);
    vi.setSystemTime(NOW + RENDERED_MS_MAX);
    expect((await open(project, `${path}?key=${key}`)).status).toBe(404);
  });

  test("is closed the moment it expires", async () => {
    const { project, path, key } = await publish({ expires_at: "2026-11-21T15:30:03Z" });
    const status = async (): Promise<number> => (await open(project, `${path}?key=${key}`)).status;
    expect(await status()).toBe(200);
    vi.setSystemTime(NOW + 2_999);
    expect(await status()).toBe(200);
    vi.setSystemTime(NOW + 3_000);
    expect(await status()).toBe(404);
  });

  test("is not shown to another key, nor in another look", async () => {
    const project = await makeUsedProject();
    const [first, second] = [await publish({}, project), await publish({}, project)];
    await open(project, `${first.path}?key=${first.key}`);
    expect((await open(project, `${first.path}?key=${second.key}`)).status).toBe(404);
    const dark = await (await open(project, `${first.path}?key=${first.key}&theme=dark`)).text();
    expect(dark).toContain('data-theme="dark"');
  });
});

describe("what the address can change", () => {
  test("is the theme, where the publication's own is not wanted, and the frame", async () => {
    const { project, path, key } = await publish({ options: { theme: "dark" } });
    const page = async (rest: string): Promise<string> => (await open(project, `${path}?key=${key}${rest}`)).text();
    expect(await page("")).toContain('<html lang="en" data-theme="dark">');
    expect(await page("&theme=light&embed=1")).toContain('<html lang="en" data-theme="light" class="embed">');
    expect(await page("&theme=auto")).toContain('data-theme="auto"');
    expect(await page("&days=1&limit=1&metric=x&report=growing&alias_customers=1&title=x&options[theme]=light")).toBe(
      await page(""),
    );
  });
});

describe("whoever guesses", () => {
  const guess = (): string => `/q/pub_${"0".repeat(20)}?key=${crypto.randomUUID().replaceAll("-", "")}`;

  test("is told to wait, and learns nothing else", async () => {
    const project = await makeUsedProject();
    const address = "203.0.113.66";
    const seen = new Map<number, Set<string>>();
    // The counter begins anew with each minute, which can come once meanwhile.
    for (let i = 0; i < 2 * FAILED_OPENINGS_MAX + 2; i++) {
      const response = await open(project, guess(), { address });
      response.headers.delete("x-request-id");
      const answers = seen.get(response.status) ?? new Set();
      seen.set(response.status, answers.add(JSON.stringify([[...response.headers], await response.text()])));
    }
    expect(new Map([...seen].map(([status, answers]) => [status, answers.size]))).toEqual(
      new Map([
        [404, 1],
        [429, 1],
      ]),
    );
    const [refused = ""] = seen.get(429) ?? [];
    expect(refused).toContain('["retry-after","60"]');
    expect(refused).toContain(String.raw`["ratelimit-policy","\"failed-openings\";q=30;w=60"]`);
    expect(refused).toContain(String.raw`["ratelimit","\"failed-openings\";r=0;t=60"]`);
    const problem = await open(project, guess().replace("?", ".json?"), { address });
    expect([problem.status, await problem.json()]).toEqual([
      429,
      expect.objectContaining({ code: "rate_limited" }) as unknown,
    ]);
  });

  test("locks nobody out who has the link, not even from the same address", async () => {
    const { project, path, key } = await publish();
    const address = "203.0.113.67";
    for (let i = 0; i < 2 * FAILED_OPENINGS_MAX + 2; i++) await open(project, guess(), { address });
    expect((await open(project, guess(), { address })).status).toBe(429);
    expect((await open(project, `${path}?key=${key}`, { address })).status).toBe(200);
    expect((await open(project, guess(), { address: "203.0.113.68" })).status).toBe(404);
  });

  test("costs the database a row, and nothing where the link is not one of ours", async () => {
    const project = await makeUsedProject();
    const count = async (path: string): Promise<number> => {
      const { DB, statements } = recordStatements();
      expect((await open(project, path, { bindings: { DB } })).status).toBe(404);
      return statements.length;
    };
    const { path } = await publish({}, project);
    expect(await count(guess())).toBe(1);
    expect(await count(`${path}?key=${"0".repeat(32)}`)).toBe(1);
    expect(await count(`${path}?key=short`)).toBe(0);
    expect(await count(`/q/x?key=${"0".repeat(32)}`)).toBe(0);
  });
});
