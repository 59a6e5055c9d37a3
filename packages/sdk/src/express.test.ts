import type { AddressInfo } from "node:net";
import express, { Router } from "express";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { FaultyTidemark, type Mood } from "../test/faulty-tidemark.ts";
import { type ExpressMeterOptions, tidemark } from "./express.ts";
import { Tidemark } from "./tidemark.ts";

const AWAY: readonly Mood[] = ["failing", "silent", "breaking", "html", "truncated", "nonsense", "throttling"];
const ENFORCE = { metric: "api_request" } as const;

type Options = Partial<ExpressMeterOptions<express.Request, express.Response>>;

// Faults take their time, and longer on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

let server: FaultyTidemark;
let client: Tidemark;
let closeApps: (() => void)[];

beforeEach(async () => {
  server = await FaultyTidemark.start();
  client = newClient(250);
  closeApps = [];
});

afterEach(async () => {
  for (const close of closeApps) close();
  await server[Symbol.asyncDispose]();
});

describe("without enforcement", () => {
  test("a request is one event, with the matched route and what became of it", async () => {
    const url = await startApp({ plan: () => "pro" });
    const response = await fetch(`${url}/api/users/7?q=1`, { headers: { "x-sdk-version": "js/2" } });
    expect([response.status, await response.json()]).toEqual([200, { user: "7" }]);
    expect(await events()).toEqual([
      {
        endpoint: "/api/users/:id",
        method: "GET",
        status: 200,
        latency_ms: expect.any(Number) as unknown,
        plan: "pro",
        sdk_version: "js/2",
      },
    ]);
  });

  test.each([
    ["/missing", 404],
    ["/api/broken", 500],
  ])("%s is answered %i and metered as that", async (path, status) => {
    expect((await fetch((await startApp()) + path)).status).toBe(status);
    expect(await events()).toMatchObject([{ status }]);
  });

  test("a client that goes away before the answer is metered as 499", async () => {
    const url = await startApp();
    const leaving = new AbortController();
    const fetching = fetch(`${url}/api/slow`, { signal: leaving.signal });
    setTimeout(() => leaving.abort(), 50);
    await expect(fetching).rejects.toThrow("aborted");
    await expect.poll(events).toMatchObject([{ status: 499, endpoint: "/api/slow" }]);
  });

  test("a request that is nobody's has no event", async () => {
    const url = await startApp({ customer: () => undefined, enforce: ENFORCE });
    expect((await fetch(`${url}/api/users/7`)).status).toBe(200);
    expect(await events()).toEqual([]);
    expect(server.received).toEqual([]);
  });

  test("a silent server delays no response", async () => {
    server.mood = "silent";
    client = newClient(30_000);
    const url = await startApp();
    const startedAt = performance.now();
    for (let count = 0; count < 10; count++) expect((await fetch(`${url}/api/users/7`)).status).toBe(200);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });

  test.each(AWAY)("a server that is %s changes no response, and gets the event later", async (mood) => {
    server.mood = mood;
    const url = await startApp();
    const response = await fetch(`${url}/api/users/7`);
    expect([response.status, await response.json()]).toEqual([200, { user: "7" }]);
    server.mood = "well";
    expect(await events()).toHaveLength(1);
  });
});

describe("with enforcement", () => {
  test("a request is consumed first, and its event counts no second time", async () => {
    const url = await startApp({ enforce: ENFORCE });
    const response = await fetch(`${url}/api/echo`, { method: "POST", body: "the body is still there" });
    expect(await response.text()).toBe("the body is still there");
    expect(await events()).toHaveLength(1);
    expect([...server.events.keys()]).toEqual([...server.consumed.keys()]);
    expect(server.counted).toBe(1);
  });

  test("a client that goes away while the limit is asked for is metered as 499, whatever is written to it then", async () => {
    server.mood = "silent";
    const url = await startApp({ enforce: { ...ENFORCE, unavailable: "open" } });
    const fetching = fetch(`${url}/api/users/7`, { signal: AbortSignal.timeout(50) });
    await expect(fetching).rejects.toThrow("aborted");
    await expect.poll(() => server.receivedAt("/v1/consume").length).toBe(1);
    server.mood = "well";
    await expect.poll(events, { timeout: 10_000 }).toMatchObject([{ status: 499, endpoint: "/api/users/:id" }]);
    expect(server.counted).toBe(1);
  });

  test("a request beyond the limit is answered 429 as a problem, and is no usage", async () => {
    server.limit = 0;
    const response = await fetch(`${await startApp({ enforce: ENFORCE })}/api/users/7`);
    expect(response.status).toBe(429);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await response.json()).toMatchObject({ status: 429, code: "limit_reached" });
    expect(await events()).toEqual([]);
  });

  test("the caller can answer a denied request, and a mistake in that is the app's to handle", async () => {
    server.limit = 0;
    const polite = await startApp({ enforce: ENFORCE, onDenied: (_, response) => void response.status(402).end() });
    expect((await fetch(`${polite}/api/users/7`)).status).toBe(402);
    const buggy = await startApp({
      enforce: ENFORCE,
      onDenied: () => {
        throw new Error("a bug");
      },
    });
    expect((await fetch(`${buggy}/api/users/7`)).status).toBe(500);
  });

  test.each([...AWAY, "losing_answers"] as const)(
    "open: while a server is %s the app answers as ever, and its usage is counted once afterwards",
    async (mood) => {
      server.mood = mood;
      const url = await startApp({ enforce: { ...ENFORCE, unavailable: "open" } });
      const response = await fetch(`${url}/api/users/7`);
      expect([response.status, await response.json()]).toEqual([200, { user: "7" }]);
      server.mood = "well";
      expect(await client.close()).toEqual({ spooled: 0 });
      expect([server.counted, server.events.size, server.consumed.size]).toEqual([1, 1, 1]);
    },
  );

  test.each(AWAY)("closed: while a server is %s the request is denied soon", async (mood) => {
    server.mood = mood;
    const url = await startApp({ enforce: ENFORCE });
    const startedAt = performance.now();
    const response = await fetch(`${url}/api/users/7`);
    expect([response.status, (await response.json<{ code: string }>()).code]).toEqual([429, "meter_unavailable"]);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });
});

function newClient(timeoutMs: number): Tidemark {
  return new Tidemark({ url: server.url, key: "tm_test", timeoutMs, onError: () => undefined });
}

/** Starts an app and tells its address. */
async function startApp(options: Options = {}): Promise<string> {
  const api = Router();
  api.get("/users/:id", (request, response) => void response.json({ user: request.params.id }));
  api.post("/echo", (request, response) => void request.pipe(response));
  api.get("/slow", () => undefined);
  api.get("/broken", () => {
    throw new Error("a bug");
  });
  const app = express();
  app.set("env", "test");
  app.use(
    tidemark({ client, customer: (request: express.Request) => request.get("x-customer") ?? "acme", ...options }),
  );
  app.use("/api", api);
  const listener = app.listen(0, "127.0.0.1");
  closeApps.push(() => {
    listener.closeAllConnections();
    listener.close();
  });
  await new Promise((resolve) => listener.once("listening", resolve));
  return `http://127.0.0.1:${(listener.address() as AddressInfo).port}`;
}

/** The properties of every event that arrives. */
async function events(): Promise<readonly unknown[]> {
  await client.flush();
  return [...server.events.values()].map(({ properties }) => properties);
}
