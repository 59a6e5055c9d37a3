import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { FaultyTidemark } from "../test/faulty-tidemark.ts";
import { ModelMeter } from "../test/model-meter.ts";
import type { Fault } from "./fault.ts";
import { Tidemark, type TidemarkOptions } from "./tidemark.ts";

// Faults take their time, and longer on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

const run = promisify(execFile);

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

  test("of a customer without an allowance is one request, tells the reason, and holds nothing", async () => {
    server.isKnown = false;
    const client = newClient();
    const lease = client.lease("nobody", "api_request");
    expect(lease.reason).toBe(null);
    await lease.ready();
    expect([lease.reason, lease.take(), await lease.admit()]).toEqual(["unknown_customer", false, false]);
    expect(server.received).toHaveLength(1);
    expect(await lease.close()).toBe(true);
    expect(faults).toEqual([]);
  });

  test("that found nothing tells no reason any more once something is granted", async () => {
    server.isKnown = false;
    const lease = newClient().lease("acme", "api_request");
    await lease.ready();
    server.isKnown = true;
    await expect.poll(() => lease.admit(), { timeout: 5_000 }).toBe(true);
    expect(lease.reason).toBe(null);
    await lease.close();
  });

  test("that is idle gives everything back, leaves the client, and comes back with the next use", async () => {
    server.meter = new ModelMeter({ limit: 10_000, ttlMs: 1_500, repeatsLifetime: false, renewsExpired: false });
    const client = newClient();
    const lease = client.lease("acme", "api_request");
    await lease.ready();
    expect(server.meter.held).toBe(100);
    await expect.poll(() => server.meter.held, { timeout: 5_000 }).toBe(0);
    await expect.poll(() => client.lease("acme", "api_request") !== lease).toBe(true);
    expect(await lease.admit(3)).toBe(true);
    await client.close();
    expect([server.meter.burned, server.meter.held]).toEqual([3, 0]);
  });

  test("that is closed before its first answer lets nobody wait for it", async () => {
    server.mood = "silent";
    const lease = newClient().lease("acme", "api_request");
    const ready = expect(lease.ready()).rejects.toMatchObject({ code: "lease_closed" });
    expect(await lease.close(50)).toBe(false);
    await ready;
  });

  test("that Tidemark does not hear of is no reason for a closed process to stay alive", async () => {
    server.mood = "failing";
    const script = `
      const { Tidemark } = await import(${JSON.stringify(new URL("index.ts", import.meta.url).href)});
      const client = new Tidemark({ url: "${server.url}", key: "tm_test", timeoutMs: 500, onError: () => {} });
      const lease = client.lease("acme", "api_request");
      console.log(await lease.close(300));`;
    const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", script], { timeout: 10_000 });
    expect(stdout).toBe("false\n");
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
