import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { FaultyTidemark } from "../test/faulty-tidemark.ts";
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

describe("a lease", () => {
  test("admits locally what it holds, and gives back the rest when it is closed", async () => {
    const client = newClient();
    const lease = client.lease("acme", "api_request", { holder: "gateway-1", ttlSeconds: 30 });
    expect(lease.take()).toBe(false);
    await lease.ready();
    expect([lease.take(40), lease.take(40), lease.take(40)]).toEqual([true, true, false]);
    expect(await lease.close()).toBe(true);
    expect(lease.take()).toBe(false);
    expect([server.meter.burned, server.meter.held]).toEqual([80, 0]);
    expect(JSON.parse(server.received[0]?.text ?? "")).toMatchObject({
      customer_id: "acme",
      metric: "api_request",
      want: 100,
      holder: "gateway-1",
      ttl_seconds: 30,
    });
  });

  test("is refilled in the background: everything is admitted, nothing beyond the limit, in few calls", async () => {
    const client = newClient();
    const lease = client.lease("acme", "api_request");
    let admitted = 0;
    while (await lease.admit(1)) admitted += 1;
    await client.close();
    expect(admitted).toBe(10_000);
    expect([server.meter.burned, server.meter.held]).toEqual([10_000, 0]);
    expect(server.received.length).toBeLessThan(150);
  });

  test("admits no unit twice though every answer is lost for a while", async () => {
    const client = newClient({ timeoutMs: 300 });
    const lease = client.lease("acme", "api_request");
    await lease.ready();
    server.mood = "losing_answers";
    expect([lease.take(95), lease.take(5), await lease.admit(1)]).toEqual([true, true, false]);
    server.mood = "well";
    await expect.poll(() => lease.take(1), { timeout: 5_000 }).toBe(true);
    expect(await lease.close(5_000)).toBe(true);
    expect([server.meter.burned, server.meter.held]).toEqual([101, 0]);
  });

  test("that is asked for again is the same, until it is closed", async () => {
    const client = newClient();
    const lease = client.lease("acme", "api_request");
    expect(client.lease("acme", "api_request")).toBe(lease);
    expect(client.lease("acme", "tokens")).not.toBe(lease);
    await lease.close();
    expect(client.lease("acme", "api_request")).not.toBe(lease);
    await client.close();
  });

  test("that is refused is told to whoever waits, and to the operator", async () => {
    server.mood = "refusing_key";
    const lease = newClient().lease("acme", "api_request");
    await expect(lease.ready()).rejects.toMatchObject({ code: "invalid_key" });
    expect(lease.take()).toBe(false);
    expect(faults).toMatchObject([{ kind: "lease", metric: "api_request", unreported: 0 }]);
    expect(await lease.close()).toBe(true);
  });

  test.each([["0.5"], ["9007199254740993"]])(
    "of %s units, which a number cannot hold, is refused and given back",
    async (granted) => {
      const reports: string[] = [];
      const client = newClient({
        fetch: (url, init) => {
          if (url.endsWith("/report")) reports.push(String(init.body));
          const answer = { id: "l1", granted, sequence: 1, ttl_ms: 60_000, remaining: "100", expires_at: "" };
          return Promise.resolve(Response.json(answer));
        },
      });
      const lease = client.lease("acme", "storage");
      await expect(lease.ready()).rejects.toMatchObject({ code: "not_whole_units" });
      expect(lease.take()).toBe(false);
      await expect.poll(() => reports).toEqual(['{"sequence":1,"used":0}']);
    },
  );

  test.each([0, -1, 0.5, NaN, 2 ** 53])("a take of %d units is a mistake of the caller's", async (units) => {
    const client = newClient();
    expect(() => client.lease("acme", "api_request").take(units)).toThrow(RangeError);
    await client.close();
  });

  test("a million takes are a matter of milliseconds", async () => {
    const client = newClient({
      fetch: () => {
        const answer = { id: "l1", granted: "2000000", sequence: 1, ttl_ms: 60_000, remaining: "9000000" };
        return Promise.resolve(Response.json(answer));
      },
    });
    const lease = client.lease("acme", "api_request");
    await lease.ready();
    const startedAt = performance.now();
    let taken = 0;
    for (let count = 0; count < 1_000_000; count++) if (lease.take()) taken += 1;
    expect(taken).toBe(1_000_000);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });
});

function newClient(options: Partial<TidemarkOptions> = {}): Tidemark {
  const base = { url: server.url, key: "tm_test", timeoutMs: 1_000 };
  return new Tidemark({ ...base, onError: (fault) => faults.push(fault), ...options });
}
