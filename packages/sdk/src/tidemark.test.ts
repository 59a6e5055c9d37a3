import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { FaultyTidemark, type Mood } from "../test/faulty-tidemark.ts";
import type { Fault } from "./fault.ts";
import { Tidemark, type TidemarkOptions } from "./tidemark.ts";

// Faults take their time, and longer on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

let server: FaultyTidemark;
let faults: Fault[];

beforeEach(async () => {
  server = await FaultyTidemark.start();
  faults = [];
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
});

describe("events", () => {
  test("are sent together, with the id and the time that they were given when they were tracked", async () => {
    const client = newClient();
    const before = Date.now();
    const id = client.track({ event: "api_request", customer_id: "acme", properties: { status: 200 } });
    client.track({ event: "api_request", customer_id: "acme", id: "mine", timestamp: new Date(0) });
    expect(await client.flush()).toEqual({ spooled: 0 });

    expect(server.receivedAt("/v1/events")).toHaveLength(1);
    const event = server.events.get(id);
    expect(event).toMatchObject({ event: "api_request", customer_id: "acme", properties: { status: 200 } });
    expect(Date.parse(event?.timestamp ?? "")).toBeGreaterThanOrEqual(before);
    expect(server.events.get("mine")?.timestamp).toBe("1970-01-01T00:00:00.000Z");
    expect(server.received[0]?.headers).toMatchObject({
      authorization: "Bearer tm_test",
      "user-agent": expect.stringMatching(/^tidemark-sdk\//) as unknown,
    });
  });

  test("are sent by themselves after the interval", async () => {
    const client = newClient({ batch: { intervalMs: 20 } });
    client.track({ event: "api_request", customer_id: "acme" });
    await until(() => server.events.size === 1);
  });

  test("a burst of 10,001 is split into batches of which none is too large", async () => {
    const client = newClient({ batch: { eventsMax: 1_000_000, intervalMs: 60_000 } });
    for (let count = 0; count < 10_001; count++) client.track({ event: "api_request", customer_id: "acme" });
    expect(await client.flush()).toEqual({ spooled: 0 });
    expect(server.events.size).toBe(10_001);
    const sizes = server.received.map(({ text }) => (JSON.parse(text) as unknown[]).length);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(10_000);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(10_001);
  });

  test("a batch is never larger than its bytes, in UTF-8", async () => {
    const client = newClient({ batch: { bytesMax: 2_000 } });
    for (let count = 0; count < 20; count++) {
      client.track({ event: "api_request", customer_id: "acme", properties: { text: "ü".repeat(200) } });
    }
    await client.flush();
    expect(server.events.size).toBe(20);
    for (const { text } of server.received) {
      expect(new TextEncoder().encode(text).byteLength).toBeLessThanOrEqual(2_000);
    }
  });

  test.each<Mood>(["failing", "breaking", "losing_answers", "html", "truncated", "nonsense", "throttling", "silent"])(
    "are counted once, with the ids and times they had, after a server was %s",
    async (mood) => {
      server.mood = mood;
      const client = newClient({ timeoutMs: 100 });
      const ids = [1, 2, 3].map(() => client.track({ event: "api_request", customer_id: "acme" }));
      expect(await client.flush({ timeoutMs: 150 })).toEqual({ spooled: 3 });
      server.mood = "well";
      expect(await client.flush()).toEqual({ spooled: 0 });

      expect([...server.events.keys()]).toEqual(ids);
      expect(new Set(server.received.map(({ text }) => text)).size).toBe(1);
      expect(server.received.length).toBeGreaterThan(1);
      expect(faults[0]).toMatchObject({ kind: "undelivered", spooled: 3, error: null });
    },
  );

  test("wait as long as Retry-After says, even for a flush", async () => {
    server.mood = "throttling";
    const client = newClient();
    client.track({ event: "api_request", customer_id: "acme" });
    await client.flush({ timeoutMs: 100 });
    server.mood = "well";
    await client.flush({ timeoutMs: 200 });
    expect(server.received).toHaveLength(1);
    await client.flush();
    expect(server.received).toHaveLength(2);
  });

  test("that were refused are told and not sent again; the others of the batch are counted", async () => {
    const client = newClient();
    client.track({ event: "api_request", customer_id: "acme" });
    const id = client.track({ event: "bad", customer_id: "acme" });
    expect(await client.flush()).toEqual({ spooled: 0 });
    expect(server.events.size).toBe(1);
    expect(faults).toMatchObject([{ kind: "rejected", event: { id }, code: "invalid_event", pointer: "/event" }]);
  });

  test("that were all refused are told one by one", async () => {
    const client = newClient();
    const ids = [client.track({ event: "bad", customer_id: "a" }), client.track({ event: "bad", customer_id: "b" })];
    expect(await client.flush()).toEqual({ spooled: 0 });
    expect(faults.map((fault) => (fault.kind === "rejected" ? fault.event.id : fault.kind))).toEqual(ids);
    expect(server.received).toHaveLength(1);
  });

  test("are kept when the key is refused, and told of", async () => {
    server.mood = "refusing_key";
    const client = newClient();
    client.track({ event: "api_request", customer_id: "acme" });
    expect(await client.flush({ timeoutMs: 300 })).toEqual({ spooled: 1 });
    expect(server.received).toHaveLength(1);
    expect(faults).toMatchObject([{ kind: "undelivered", error: { code: "invalid_key", status: 401 } }]);
    server.mood = "well";
    expect(await client.close()).toEqual({ spooled: 0 });
  });

  test("a proxy that takes smaller bodies gets smaller batches, and only what is too large alone is refused", async () => {
    server.bodyBytesMax = 2_000;
    const client = newClient();
    for (let count = 0; count < 50; count++) client.track({ event: "api_request", customer_id: "acme" });
    const id = client.track({ event: "api_request", customer_id: "acme", properties: { text: "x".repeat(3_000) } });
    expect(await client.flush()).toEqual({ spooled: 0 });
    expect(server.events.size).toBe(50);
    expect(faults).toMatchObject([{ kind: "rejected", event: { id }, code: "too_large" }]);
  });

  test("beyond the spool are dropped, visibly, and the others stay", async () => {
    server.mood = "failing";
    const client = newClient({ spoolMax: 3 });
    for (let count = 0; count < 5; count++) client.track({ event: "api_request", customer_id: `c${count}` });
    expect(faults).toMatchObject([
      { kind: "dropped", reason: "spool_full", event: { customer_id: "c3" }, dropped: 1 },
      { kind: "dropped", reason: "spool_full", event: { customer_id: "c4" }, dropped: 2 },
    ]);
    server.mood = "well";
    await client.close();
    expect([...server.events.values()].map((event) => event.customer_id)).toEqual(["c0", "c1", "c2"]);
  });

  test("that could never be sent are dropped, visibly, without a throw", () => {
    const client = newClient();
    const circle: { self?: unknown } = {};
    circle.self = circle;
    client.track({ event: "e", customer_id: "c", properties: { text: "x".repeat(5_000_000) } });
    client.track({ event: "e", customer_id: "c", properties: circle as never });
    client.track({ event: "e", customer_id: "c", timestamp: new Date(NaN) });
    const reasons = faults.map((fault) => (fault.kind === "dropped" ? fault.reason : fault.kind));
    expect(reasons).toEqual(["too_large", "not_serialisable", "not_serialisable"]);
  });

  test("one delivery is under way at a time", async () => {
    let underWay = 0;
    let most = 0;
    const client = newClient({
      batch: { eventsMax: 10 },
      fetch: async (url, init) => {
        most = Math.max(most, ++underWay);
        const response = await fetch(url, init);
        underWay -= 1;
        return response;
      },
    });
    for (let count = 0; count < 100; count++) client.track({ event: "api_request", customer_id: "acme" });
    await Promise.all([client.flush(), client.flush(), client.flush()]);
    expect(server.events.size).toBe(100);
    expect(most).toBe(1);
  });

  test("a delivery that was lost with its request is taken up by a later one, as Workers need it", async () => {
    let isGone = true;
    const client = newClient({
      timeoutMs: 100,
      batch: { intervalMs: 0 },
      fetch: (url, init) => (isGone ? new Promise<Response>(() => undefined) : fetch(url, init)),
    });
    client.track({ event: "api_request", customer_id: "acme" });
    expect(await client.flush({ timeoutMs: 1_300 })).toEqual({ spooled: 1 });
    isGone = false;
    client.track({ event: "api_request", customer_id: "acme" });
    expect(await client.flush()).toEqual({ spooled: 0 });
    expect(server.events.size).toBe(2);
  });
});

test.each([
  { batch: { eventsMax: 0 } },
  { batch: { eventsMax: NaN } },
  { batch: { bytesMax: 0 } },
  { batch: { intervalMs: -1 } },
  { timeoutMs: 0 },
  { spoolMax: -1 },
])("a client with %o, which could never deliver, is refused", (options) => {
  expect(() => newClient(options)).toThrow(RangeError);
});

describe("the end", () => {
  test("flushing an empty spool resolves", async () => {
    expect(await newClient().flush()).toEqual({ spooled: 0 });
    expect(server.received).toHaveLength(0);
  });

  test("closing delivers what waits, and what comes later is dropped visibly", async () => {
    const client = newClient({ batch: { intervalMs: 60_000 } });
    client.track({ event: "api_request", customer_id: "acme" });
    expect(await client.close()).toEqual({ spooled: 0 });
    expect(server.events.size).toBe(1);
    client.track({ event: "api_request", customer_id: "acme" });
    expect(faults).toMatchObject([{ kind: "dropped", reason: "closed" }]);
  });

  test("closing ends in time while Tidemark is silent, and says what is left", async () => {
    server.mood = "silent";
    const client = newClient();
    client.track({ event: "api_request", customer_id: "acme" });
    expect(await client.close({ timeoutMs: 100 })).toEqual({ spooled: 1 });
  });

  test("waitUntil gets a promise that ends when the event has arrived", async () => {
    const works: Promise<unknown>[] = [];
    const waitUntil = (work: Promise<unknown>): void => void works.push(work);
    newClient({ batch: { intervalMs: 20 }, waitUntil }).track({ event: "a", customer_id: "acme" });
    newClient({ batch: { intervalMs: 60_000 } }).track({ event: "b", customer_id: "acme" }, { waitUntil });
    await Promise.all(works);
    expect([...server.events.values()].map(({ event }) => event).toSorted()).toEqual(["a", "b"]);
  });

  test("an onError or waitUntil that throws does not reach the caller", async () => {
    const logged = vi.spyOn(console, "error").mockReturnValue();
    const client = newClient({
      spoolMax: 1,
      onError: () => {
        throw new Error("a bug of the caller's");
      },
      waitUntil: () => {
        throw new Error("outside of a request");
      },
    });
    client.track({ event: "a", customer_id: "acme" });
    client.track({ event: "b", customer_id: "acme" });
    expect(await client.flush()).toEqual({ spooled: 0 });
    expect(logged).toHaveBeenCalledWith("tidemark: onError has thrown", expect.any(Error));
    logged.mockRestore();
  });

  test("without an onError, faults are logged, and a flood of them only once", () => {
    const logged = vi.spyOn(console, "error").mockReturnValue();
    const client = newClient({ spoolMax: 0, onError: undefined });
    for (let count = 0; count < 100; count++) client.track({ event: "a", customer_id: "acme" });
    expect(logged.mock.calls).toEqual([["tidemark: an event was dropped (spool_full), 1 so far"]]);
    logged.mockRestore();
  });
});

function newClient(options: Partial<TidemarkOptions> = {}): Tidemark {
  return new Tidemark({ url: server.url, key: "tm_test", onError: (fault) => faults.push(fault), ...options });
}

async function until(isTrue: () => boolean): Promise<void> {
  await expect.poll(isTrue, { timeout: 10_000 }).toBe(true);
}
