import { PROBLEM_KINDS, type ProblemBody } from "@tidemark/contract";
import { STYLESHEET, STYLESHEET_HREF } from "@tidemark/ui";
import { describe, expect, test } from "vitest";
import { call, json, makeProject, type TestProject } from "../../test/fixture.ts";
import { app } from "../index.ts";

async function open(path: string): Promise<Response> {
  return call(await makeProject(), `GET ${path}`, { key: null });
}

describe("pages that need no key", () => {
  test.each([
    ["/", "Tidemark"],
    ["/docs", "/v1/reports/top-customers"],
    ["/docs/errors", "rate_limited"],
    ["/docs/errors/invalid_cursor", "Start again without"],
  ])("%s", async (path, text) => {
    const response = await open(path);
    const html = await response.text();
    expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/html; charset=UTF-8"]);
    expect(html).toContain("<!DOCTYPE html>");
    expect(html).toContain(text);
    expect(html).not.toMatch(/<script|<style| style=| on\w+=/);
    expect(html).toContain(STYLESHEET_HREF);
  });

  test("every problem has its page, where `type` points", async () => {
    for (const code of Object.keys(PROBLEM_KINDS)) expect((await open(`/docs/errors/${code}`)).status, code).toBe(200);
    for (const code of ["nonsense", "__proto__", "constructor"])
      expect((await open(`/docs/errors/${code}`)).status).toBe(404);
  });

  test("the stylesheet is kept for ever under its content's address", async () => {
    const response = await open(STYLESHEET_HREF);
    expect(await response.text()).toBe(STYLESHEET);
    expect(response.headers.get("content-type")).toBe("text/css; charset=utf-8");
    expect(response.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
  });

  test("crawlers are kept from published pages", async () => {
    expect(await (await open("/robots.txt")).text()).toBe("User-agent: *\nDisallow: /q/\n");
  });
});

interface Operation {
  readonly security?: unknown;
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly responses: Readonly<Record<string, unknown>>;
}

interface Description {
  readonly openapi: string;
  readonly servers: unknown;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, unknown>>; readonly securitySchemes: unknown };
}

/** What the ingest Worker answers. */
const INGEST_ROUTES = [
  "POST /v1/events",
  "GET /v1/check",
  "POST /v1/check",
  "POST /v1/consume",
  "POST /v1/reservations",
  "POST /v1/reservations/{id}/commit",
  "POST /v1/reservations/{id}/release",
  "POST /v1/reservations/{id}/extend",
  "POST /v1/leases",
  "POST /v1/leases/{id}/report",
];

describe("the description of the API", () => {
  async function describeApi(): Promise<Description> {
    return await (await open("/openapi.json")).json<Description>();
  }

  test("names every route, and nothing that is not there but the ingest Worker's", async () => {
    const description = await describeApi();
    expect([description.openapi, description.servers]).toEqual(["3.1.0", [{ url: "http://localhost" }]]);
    const described = Object.entries(description.paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const handled = app.routes
      .filter(({ method, path }) => method !== "ALL" && /^\/(v1\/|metrics$|mcp$)/.test(path))
      .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`);
    expect(new Set(described)).toEqual(new Set([...handled, ...INGEST_ROUTES]));
  });

  test("says which routes want a key, and how each can fail", async () => {
    const { paths, components } = await describeApi();
    expect(components.securitySchemes).toMatchObject({ key: { type: "http", scheme: "bearer" } });
    for (const [path, item] of Object.entries(paths)) {
      for (const [method, operation] of Object.entries(item)) {
        const isOpen = path === "/v1/health";
        expect(operation.security, path).toEqual(isOpen ? [] : [{ key: [] }]);
        if (!isOpen)
          for (const status of ["400", "401", "403", "503"])
            expect(Object.keys(operation.responses), `${method} ${path}`).toContain(status);
        for (const name of path.matchAll(/\{(\w+)\}/g)) {
          expect(
            operation.parameters?.some((parameter) => parameter.in === "path" && parameter.name === name[1]),
            path,
          ).toBe(true);
        }
      }
    }
  });

  test("every reference in it leads somewhere", async () => {
    const description = await describeApi();
    const text = JSON.stringify(description);
    for (const [, name = ""] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g))
      expect(description.components.schemas).toHaveProperty(name);
    expect(Object.keys(description.components.schemas)).toEqual(
      expect.arrayContaining(["Metric", "Usage", "Problem", "Event", "TopCustomers"]),
    );
  });
});

describe("health", () => {
  test("is ok while the database answers", async () => {
    expect(await (await open("/v1/health")).json()).toEqual({
      status: "ok",
      checks: { database: "ok" },
      version: "0.1.0",
    });
  });
  test("is degraded when it does not", async () => {
    const DB = {
      prepare: () => {
        throw new Error("away");
      },
    } as unknown as D1Database;
    const response = await call(await makeProject(), "GET /v1/health", { key: null, bindings: { DB } });
    expect([response.status, await response.json()]).toEqual([
      503,
      { status: "degraded", checks: { database: "failing" }, version: "0.1.0" },
    ]);
  });
});

describe("what is not there", () => {
  test.each([
    ["GET /nowhere", 404, null],
    ["GET /v1/nowhere", 404, null],
    ["PUT /v1/metrics", 405, "GET, HEAD, POST"],
    ["POST /v1/usage?metric=x", 405, "GET, HEAD"],
    ["DELETE /v1/customers/acme", 405, "GET, HEAD, PATCH"],
    ["OPTIONS /v1/metrics", 405, "GET, HEAD, POST"],
    ["POST /q/pub_x", 405, "GET, HEAD"],
  ])("%s answers %i", async (target, status, allow) => {
    const project: TestProject = await makeProject();
    const response = await call(project, target);
    const problem = await response.json<ProblemBody>();
    expect([response.status, problem.status, response.headers.get("allow")]).toEqual([status, status, allow]);
    expect(problem.type).toBe(`http://localhost/docs/errors/${problem.code}`);
    expect(problem.request_id).toBe(response.headers.get("x-request-id"));
  });

  test("a failure of ours tells nothing of its inside", async () => {
    const project = await makeProject();
    await json(project, "GET /v1/metrics");
    const DB = {
      prepare: () => {
        throw new Error("SELECT secret FROM table at index.ts");
      },
    } as unknown as D1Database;
    const response = await call(project, "GET /v1/metrics", { bindings: { DB } });
    const text = await response.text();
    expect([response.status, response.headers.get("content-type")]).toEqual([500, "application/problem+json"]);
    expect(text).not.toMatch(/SELECT|secret|index\.ts/);
  });
});
