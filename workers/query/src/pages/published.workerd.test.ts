import type { TopCustomersAnswer } from "@tidemark/contract/report-schema";
import { DAY_MS } from "@tidemark/core/timestamp";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { call, json } from "../../test/fixture.ts";
import { NOW, open, publish } from "../../test/publication.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
});

describe("a published page", () => {
  test("shows the report to whoever has the link, without a login", async () => {
    const { project, path, key } = await publish();
    const response = await open(project, `${path}?key=${key}`);
    const html = await response.text();
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/html; charset=UTF-8");
    expect(html).toContain("Top &lt;b&gt;customers&lt;/b&gt; &amp; more");
    expect(html).toContain("acme &lt;script&gt;");
    expect(html).not.toContain("<script");
    // The key is in the addresses of the two files, and nowhere else.
    expect(html.split(key).length - 1).toBe(2);
    expect(html).toContain(`href="${path.slice(3)}.csv?key=${key}"`);
    expect(html).toContain(`href="${path.slice(3)}.json?key=${key}"`);
  });

  test("has the same figures as JSON and CSV beside it", async () => {
    const { project, made, path, key } = await publish();
    const report = await json<TopCustomersAnswer>(
      project,
      "GET /v1/reports/top-customers?metric=api_requests&days=7&limit=5",
    );
    expect(await (await open(project, `${path}.json?key=${key}`)).json()).toEqual({ title: made.title, ...report });
    const csv = await open(project, `${path}.csv?key=${key}`);
    expect(csv.headers.get("content-type")).toBe("text/csv; charset=utf-8; header=present");
    expect(await csv.text()).toBe(
      await (await call(project, "GET /v1/reports/top-customers?metric=api_requests&days=7&limit=5&format=csv")).text(),
    );
  });

  test("is frozen to its parameters and always current", async () => {
    const { project, path, key } = await publish();
    const read = async () => {
      const answer = await open(project, `${path}.json?key=${key}&days=90&limit=1&metric=other`);
      return answer.json<TopCustomersAnswer>();
    };
    expect((await read()).data.map(({ total }) => total)).toEqual(["2", "1"]);
    vi.setSystemTime(NOW + 6 * DAY_MS);
    const later = await read();
    expect([later.to, later.data.map(({ total }) => total)]).toEqual(["2026-11-27", ["1", "1"]]);
  });

  const POLICY =
    "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors";
  const PRIVATE = {
    "cache-control": "private, no-store",
    "referrer-policy": "no-referrer",
    "x-robots-tag": "noindex, nofollow, noarchive",
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
    "strict-transport-security": "max-age=31536000; includeSubDomains",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
  };

  test.each([
    ["", "", 200, "'none'", "same-origin"],
    ["", "&embed=1", 200, "*", "cross-origin"],
    ["", "&embed=yes", 200, "'none'", "same-origin"],
    [".json", "", 200, "'none'", "same-origin"],
    [".csv", "", 200, "'none'", "same-origin"],
    ["", "x", 404, "'none'", "same-origin"],
    [".json", "x", 404, "'none'", "same-origin"],
    [".csv", "x&embed=1", 404, "*", "cross-origin"],
  ])(
    "at %s?key=…%s answers %i with headers that keep the key to its reader",
    async (ending, extra, status, ancestors, resource) => {
      const { project, path, key } = await publish();
      const response = await open(project, `${path}${ending}?key=${key}${extra}`);
      expect(response.status).toBe(status);
      expect(Object.fromEntries(response.headers)).toMatchObject({
        ...PRIVATE,
        "content-security-policy": `${POLICY} ${ancestors}`,
        "cross-origin-resource-policy": resource,
      });
    },
  );

  test("answers HEAD, and takes a theme", async () => {
    const { project, path, key } = await publish();
    const head = await open(project, `${path}?key=${key}`, { method: "HEAD" });
    expect([head.status, await head.text(), head.headers.get("x-robots-tag")]).toEqual([
      200,
      "",
      PRIVATE["x-robots-tag"],
    ]);
    const page = async (theme: string) => (await open(project, `${path}?key=${key}&theme=${theme}`)).text();
    expect(await page("dark")).toContain('data-theme="dark"');
    expect(await page("light")).toContain('data-theme="light"');
    expect(await page("%22%3E%3Cscript%3E")).toContain('data-theme="auto"');
  });
});

describe("a link that opens nothing", () => {
  test("is answered the same whatever is wrong with it", async () => {
    const { project, made, path, key } = await publish({ expires_at: "2026-11-22T00:00:00Z" });
    const other = await publish();
    const revoked = await publish();
    await call(revoked.project, `DELETE /v1/publications/${revoked.made.id}`);
    const rotated = await publish();
    await call(rotated.project, `POST /v1/publications/${rotated.made.id}/rotate`);
    const wrong = [
      `${path}?key=`,
      path,
      `${path}?key=${key.slice(0, -1)}`,
      `${path}?key=${key}x`,
      `${path}?key=${key.toLowerCase()}`,
      `${path}?key=${other.key}`,
      `/q/pub_00000000000000000000?key=${key}`,
      `/q/%27%20OR%201=1--?key=${key}`,
      `/q/x?key=${key}`,
      `${revoked.path}?key=${revoked.key}`,
      `${rotated.path}?key=${rotated.key}`,
      `${path}.pdf?key=${key}`,
      `${path}.json.xml?key=${key}`,
    ];
    const answers = await Promise.all(wrong.map((target) => open(project, target)));
    vi.setSystemTime(Date.parse("2026-11-22T00:00:00Z"));
    answers.push(await open(project, `${path}?key=${key}`));
    const seen = new Set<string>();
    for (const answer of answers) {
      answer.headers.delete("x-request-id");
      seen.add(JSON.stringify([answer.status, [...answer.headers], await answer.text()]));
    }
    expect(seen.size).toBe(1);
    const [page = ""] = seen;
    expect(page).toMatch(/^\[404,/);
    for (const secret of [key, made.id, made.title]) expect(page).not.toContain(secret);
  });

  test("says so as a problem where JSON was asked for, still the same", async () => {
    const { project, path, key } = await publish();
    const texts = await Promise.all(
      [`${path}.json?key=nope`, `/q/pub_00000000000000000000.json?key=${key}`, `${path}.json`].map(async (target) => {
        const response = await open(project, target);
        expect([response.status, response.headers.get("content-type")]).toEqual([404, "application/problem+json"]);
        return (await response.text()).replace(/req_[0-9a-f-]+/, "");
      }),
    );
    expect(new Set(texts).size).toBe(1);
    expect(texts[0]).not.toContain(key);
  });

  test("stops before it expires and not earlier", async () => {
    const { project, path, key } = await publish({ expires_at: "2026-11-22T00:00:00+01:00" });
    vi.setSystemTime(Date.parse("2026-11-21T22:59:59.999Z"));
    expect((await open(project, `${path}?key=${key}`)).status).toBe(200);
    vi.setSystemTime(Date.parse("2026-11-21T23:00:00Z"));
    expect((await open(project, `${path}?key=${key}`)).status).toBe(404);
  });
});

test("the key is in no log and no error, even when the database fails", async () => {
  const { project, path, key } = await publish();
  const logged: string[] = [];
  for (const level of ["log", "info", "warn", "error", "debug"] as const) {
    vi.spyOn(console, level).mockImplementation((...parts: unknown[]) => void logged.push(parts.map(String).join(" ")));
  }
  const DB = {
    prepare: () => {
      throw new Error("D1 is away");
    },
  } as unknown as D1Database;
  const response = await call(project, `GET ${path}?key=${key}`, { key: null, bindings: { DB } });
  vi.restoreAllMocks();
  expect(response.status).toBe(500);
  expect(await response.text()).not.toContain(key);
  expect(logged.length).toBeGreaterThan(0);
  expect(logged.join("\n")).not.toContain(key);
});
