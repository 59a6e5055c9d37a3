import { type Context, Hono } from "hono";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { FaultyTidemark, type Mood } from "../test/faulty-tidemark.ts";
import type { Fault } from "./fault.ts";
import { type HonoMeterOptions, tidemark } from "./hono.ts";
import { Tidemark, type TidemarkOptions } from "./tidemark.ts";

const AWAY: readonly Mood[] = ["failing", "silent", "breaking", "html", "truncated", "nonsense", "throttling"];
const ENFORCE = { metric: "api_request" } as const;

// Faults take their time, and longer on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

let server: FaultyTidemark;
let client: Tidemark;

beforeEach(async () => {
  server = await FaultyTidemark.start();
  client = newClient();
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
});

describe("without enforcement", () => {
  test("a request is one event, with the matched route and what became of it", async () => {
    const response = await newApp({ plan: () => "pro", properties: () => ({ region: "eu" }) }).request("/users/7?q=1", {
      headers: { "x-sdk-version": "js/2", "cf-ipcountry": "DE" },
    });
    expect([response.status, await response.json()]).toEqual([200, { user: "7" }]);
    expect(await events()).toEqual([
      {
        endpoint: "/users/:id",
        method: "GET",
        status: 200,
        latency_ms: expect.any(Number) as unknown,
        plan: "pro",
        sdk_version: "js/2",
        ip_country: "DE",
        region: "eu",
      },
    ]);
  });

  test.each([
    ["/missing", 404],
    ["/broken", 500],
  ])("%s is answered %i and metered as that", async (path, status) => {
    expect((await newApp().request(path)).status).toBe(status);
    expect(await events()).toMatchObject([{ status }]);
  });

  test("what a handler throws goes on, and the event says 500", async () => {
    const middleware = tidemark({ client, customer: () => "acme" });
    const req = { method: "GET", routePath: "/", header: () => undefined };
    const context = { req, res: { status: 200 }, executionCtx: { waitUntil: () => undefined } };
    await expect(middleware(context, () => Promise.reject(new Error("a bug")))).rejects.toThrow("a bug");
    expect(await events()).toMatchObject([{ status: 500 }]);
  });

  test("a request that is nobody's has no event", async () => {
    expect((await newApp({ customer: () => undefined, enforce: ENFORCE }).request("/users/7")).status).toBe(200);
    expect(await events()).toEqual([]);
    expect(server.received).toEqual([]);
  });

  test("delivery goes through waitUntil where there is one", async () => {
    const works: Promise<unknown>[] = [];
    const context = { waitUntil: (work: Promise<unknown>) => void works.push(work), passThroughOnException: () => {} };
    await newApp().request("/users/7", {}, {}, { ...context, props: {} });
    await Promise.all(works);
    expect(works).toHaveLength(1);
    expect(server.events.size).toBe(1);
  });

  test("a function of the caller's that throws costs the event, not the response", async () => {
    const app = newApp({
      properties: () => {
        throw new Error("a bug");
      },
    });
    expect((await app.request("/users/7")).status).toBe(200);
  });

  test("a silent server delays no response", async () => {
    server.mood = "silent";
    client = newClient({ timeoutMs: 30_000 });
    const startedAt = performance.now();
    for (let count = 0; count < 10; count++) expect((await newApp().request("/users/7")).status).toBe(200);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });

  test.each(AWAY)("a server that is %s changes no response, and gets the event later", async (mood) => {
    server.mood = mood;
    const response = await newApp().request("/users/7");
    expect([response.status, await response.json()]).toEqual([200, { user: "7" }]);
    server.mood = "well";
    expect(await events()).toHaveLength(1);
  });
});

describe("a function of the caller's that throws before the request is handled", () => {
  const throwing = (): never => {
    throw new Error("a bug");
  };

  test.each([
    ["customer, without enforcement", { customer: throwing }, 200, 0],
    ["customer, closed", { customer: throwing, enforce: ENFORCE }, 429, 0],
    ["customer, open", { customer: throwing, enforce: { ...ENFORCE, unavailable: "open" } }, 200, 0],
    ["amount, closed", { enforce: { ...ENFORCE, amount: throwing } }, 429, 0],
    ["amount, open", { enforce: { ...ENFORCE, amount: throwing, unavailable: "open" } }, 200, 1],
  ] as const)(
    "%s: is told to the operator, and decides as if Tidemark were away",
    async (_, options, status, count) => {
      const faults: Fault[] = [];
      client = newClient({ onError: (fault) => faults.push(fault) });
      expect((await newApp(options).request("/users/7")).status).toBe(status);
      expect(faults).toMatchObject([{ kind: "callback", error: { message: "a bug" } }]);
      expect(await events()).toHaveLength(count);
    },
  );
});

describe("with enforcement", () => {
  test("a request is consumed first, and its event counts no second time", async () => {
    expect((await newApp({ enforce: ENFORCE }).request("/users/7")).status).toBe(200);
    expect(await events()).toHaveLength(1);
    expect([...server.events.keys()]).toEqual([...server.consumed.keys()]);
    expect(server.counted).toBe(1);
  });

  test("a request beyond the limit is answered 429 as a problem, and is no usage", async () => {
    server.limit = 1;
    const app = newApp({ enforce: ENFORCE });
    await app.request("/users/7");
    const response = await app.request("/users/7");
    expect(response.status).toBe(429);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(response.headers.get("ratelimit-policy")).toBe('"api_request";q=1');
    expect(await response.json()).toMatchObject({ status: 429, code: "limit_reached" });
    expect(await events()).toHaveLength(1);
  });

  test("the caller can answer a denied request", async () => {
    server.limit = 0;
    const onDenied = (): Response => new Response("Please pay.", { status: 402 });
    expect((await newApp({ enforce: ENFORCE, onDenied }).request("/users/7")).status).toBe(402);
  });

  test.each([...AWAY, "losing_answers", "refusing_key"] as const)(
    "open: while a server is %s the app answers as ever, and its usage is counted once afterwards",
    async (mood) => {
      server.mood = mood;
      const response = await newApp({ enforce: { ...ENFORCE, unavailable: "open" } }).request("/users/7");
      expect([response.status, await response.json()]).toEqual([200, { user: "7" }]);
      server.mood = "well";
      expect(await client.close()).toEqual({ spooled: 0 });
      expect([server.counted, server.events.size, server.consumed.size]).toEqual([1, 1, 1]);
      // The event completes the consume, so it comes after it.
      expect(server.received.at(-1)?.path).toBe("/v1/events");
    },
  );

  test.each(AWAY)("closed: while a server is %s the request is denied soon", async (mood) => {
    server.mood = mood;
    const startedAt = performance.now();
    const response = await newApp({ enforce: ENFORCE }).request("/users/7");
    expect([response.status, (await response.json<{ code: string }>()).code]).toEqual([429, "meter_unavailable"]);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });
});

interface Env {
  readonly Variables: { customer: string };
}

function newApp(options: Partial<HonoMeterOptions<Context<Env>>> = {}): Hono<Env> {
  const app = new Hono<Env>();
  app.use(async (c, next) => {
    c.set("customer", "acme");
    await next();
  });
  app.use(tidemark({ client, customer: (c: Context<Env>) => c.get("customer"), ...options }));
  app.get("/users/:id", (c) => c.json({ user: c.req.param("id") }));
  app.get("/broken", () => {
    throw new Error("a bug");
  });
  app.onError((_, c) => c.text("sorry", 500));
  return app;
}

/** The properties of every event that arrives. */
async function events(): Promise<readonly unknown[]> {
  await client.flush();
  return [...server.events.values()].map(({ properties }) => properties);
}

function newClient(options: Partial<TidemarkOptions> = {}): Tidemark {
  return new Tidemark({ url: server.url, key: "tm_test", timeoutMs: 250, onError: () => undefined, ...options });
}
