import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { FaultyTidemark, type Mood } from "../test/faulty-tidemark.ts";
import type { Fault } from "./fault.ts";
import { Tidemark, type TidemarkOptions } from "./tidemark.ts";
import { TidemarkError } from "./tidemark-error.ts";

const run = promisify(execFile);
const CONSUME = { customer_id: "acme", metric: "api_request", amount: 5 };
const AWAY: readonly Mood[] = ["failing", "silent", "breaking", "html", "truncated", "nonsense", "throttling"];

// Faults take their time, and longer on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

const realFetch = fetch;

let server: FaultyTidemark;
let faults: Fault[];

beforeEach(async () => {
  server = await FaultyTidemark.start();
  faults = [];
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
});

describe("a decision", () => {
  test("is Tidemark's own", async () => {
    const client = newClient();
    expect(await client.check(CONSUME)).toMatchObject({ allowed: true, enforced: true, remaining: "1000000" });
    expect(await client.consume({ ...CONSUME, id: "c1" })).toMatchObject({ allowed: true, used: "5", id: "c1" });
    expect(server.counted).toBe(5);
  });

  test("is a denial, and no error, when the limit is reached", async () => {
    server.limit = 4;
    expect(await newClient().consume(CONSUME)).toMatchObject({ allowed: false, reason: "limit_reached" });
  });

  test("throws what Tidemark refuses", async () => {
    server.mood = "refusing_key";
    const error: unknown = await newClient()
      .consume(CONSUME)
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TidemarkError);
    expect(error).toMatchObject({ code: "invalid_key", status: 401, request_id: "r-1", name: "TidemarkError" });
    expect(server.received).toHaveLength(1);
  });

  test("is tried again with the same id within its time, and counted once though its answer was lost", async () => {
    server.mood = "losing_answers";
    server.moodLasts = 1;
    expect(await newClient().consume(CONSUME)).toMatchObject({ allowed: true, enforced: true, duplicate: true });
    const [first, second] = server.received;
    expect(second?.text).toBe(first?.text);
    expect(server.counted).toBe(5);
  });

  test.each(AWAY)("is a denial within the timeout when a server is %s and the policy is closed", async (mood) => {
    server.mood = mood;
    const startedAt = performance.now();
    const decision = await newClient({ timeoutMs: 300 }).consume(CONSUME);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    expect(decision).toMatchObject({ allowed: false, reason: "meter_unavailable", limit: null, cycle: null });
    expect(faults).toMatchObject([{ kind: "unavailable", path: "/v1/consume" }]);
  });

  test.each([...AWAY, "losing_answers"] as const)(
    "admits when a server is %s and the policy is open, and the usage is counted once afterwards",
    async (mood) => {
      server.mood = mood;
      const client = newClient({ timeoutMs: 300 });
      const decision = await client.consume(CONSUME, { unavailable: "open" });
      expect(decision).toMatchObject({ allowed: true, enforced: false, reason: "meter_unavailable", used: null });
      server.mood = "well";
      expect(await client.flush()).toEqual({ spooled: 0 });
      expect([...server.consumed]).toEqual([[decision.id, 5]]);
    },
  );

  test("that was admitted openly and cannot be counted afterwards is told of", async () => {
    server.mood = "failing";
    const client = newClient({ unavailable: "open" });
    await client.consume(CONSUME);
    server.mood = "well";
    server.isKnown = false;
    expect(await client.flush()).toEqual({ spooled: 0 });
    expect(faults.at(-1)).toMatchObject({ kind: "uncounted", path: "/v1/consume" });
  });

  test("of several metrics is one request", async () => {
    const items = [
      { metric: "a", amount: 1 },
      { metric: "b", amount: "0.5" },
    ];
    await newClient().consume({ customer_id: "acme", items, id: "c1" });
    expect(JSON.parse(server.received[0]?.text ?? "")).toEqual({ customer_id: "acme", items, id: "c1" });
  });

  test("usage is dropped visibly when too much of it waits already", async () => {
    server.mood = "failing";
    const client = newClient({ unavailable: "open", spoolMax: 1 });
    await client.consume(CONSUME);
    await client.consume({ ...CONSUME, id: "lost" });
    expect(faults.filter((fault) => fault.kind === "uncounted")).toMatchObject([
      { body: JSON.stringify({ ...CONSUME, id: "lost", enforce: false }) },
    ]);
  });
});

test("after failures in a row decisions no longer wait for a silent server, and go back to it when it answers", async () => {
  server.mood = "silent";
  const client = newClient({ timeoutMs: 60 });
  for (let failure = 0; failure < 5; failure++) await client.check(CONSUME);
  const attempts = server.received.length;
  const startedAt = performance.now();
  for (let count = 0; count < 100; count++) await client.check(CONSUME);
  // A hundred timeouts would be six seconds.
  expect(performance.now() - startedAt).toBeLessThan(3_000);
  expect(server.received.length - attempts).toBeLessThanOrEqual(2);
  server.mood = "well";
  await expect.poll(async () => (await client.check(CONSUME)).enforced, { timeout: 10_000 }).toBe(true);
});

test("a process stays alive for a decision, and ends in spite of what waits in the background", async () => {
  server.mood = "failing";
  const script = `
    const { Tidemark } = await import(${JSON.stringify(new URL("index.ts", import.meta.url).href)});
    const client = new Tidemark({ url: "${server.url}", key: "tm_test", unavailable: "open", onError: () => {} });
    client.track({ event: "api_request", customer_id: "acme" });
    client.lease("acme", "api_request");
    console.log((await client.consume({ customer_id: "acme", metric: "api_request" })).reason);`;
  const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", script], { timeout: 10_000 });
  expect(stdout).toBe("meter_unavailable\n");
});

describe("a reservation", () => {
  const RESERVE = { customer_id: "acme", metric: "tokens", amount: 100, id: "r1" };

  test("is held, extended and committed under the id that Tidemark gave it", async () => {
    const reservation = await newClient().reserve(RESERVE);
    expect(reservation).toMatchObject({ allowed: true, grant: { id: "r.r1", granted: "100" } });
    expect(await reservation.extend(60)).toMatchObject({ delivered: true, answer: { step: "extend" } });
    expect(await reservation.commit({ amount: 60 })).toMatchObject({ delivered: true, answer: { step: "commit" } });
    expect(server.committed.get("r.r1")).toBe(60);
  });

  test("that is denied for want of a meter holds nothing", async () => {
    server.mood = "failing";
    const reservation = await newClient().reserve(RESERVE);
    expect(reservation).toMatchObject({ allowed: false, grant: null });
    expect(await reservation.release()).toEqual({ delivered: true, answer: null });
    await expect(reservation.commit()).rejects.toMatchObject({ code: "not_reserved" });
  });

  test("that was admitted openly is made and committed, once, when Tidemark is back", async () => {
    server.mood = "losing_answers";
    const client = newClient({ unavailable: "open" });
    const reservation = await client.reserve(RESERVE);
    expect(reservation).toMatchObject({ allowed: true, grant: null, decision: { enforced: false } });
    expect(await reservation.extend(60)).toEqual({ delivered: false, answer: null });
    expect(await reservation.commit({ amount: 60 })).toEqual({ delivered: false, answer: null });
    server.mood = "well";
    expect(await client.flush()).toEqual({ spooled: 0 });
    expect([...server.committed]).toEqual([["r.r1", 60]]);
  });

  test.each([
    ["what was used", { amount: 60 }, 60],
    ["all of it, unless told", {}, 100],
    ["what was held, capped", { amount: 160, on_excess: "cap" }, 100],
    ["all that was used, where it may overflow", { amount: 160, on_excess: "overflow" }, 160],
  ] as const)(
    "that was admitted openly counts once though the limit is reached by then: %s",
    async (_, input, units) => {
      server.mood = "failing";
      const client = newClient({ unavailable: "open" });
      const reservation = await client.reserve(RESERVE);
      await reservation.commit(input);
      await reservation.commit(input);
      server.mood = "well";
      server.limit = 0;
      expect(await client.flush()).toEqual({ spooled: 0 });
      expect([...server.consumed]).toEqual([["r1", units]]);
      expect(faults.filter(({ kind }) => kind === "uncounted")).toEqual([]);
    },
  );

  test("that was denied afterwards is not made after all when the answer to its count is lost", async () => {
    server.mood = "failing";
    const client = newClient({ unavailable: "open" });
    await (await client.reserve(RESERVE)).commit();
    server.limit = 0;
    server.mood = "losing_answers";
    const denied = { allowed: false, metric: "tokens", enforced: true, reason: "limit_reached" };
    vi.stubGlobal("fetch", async (url: string, init: RequestInit) =>
      url.endsWith("/v1/reservations") ? Response.json(denied) : realFetch(url, init),
    );
    try {
      await expect.poll(() => server.receivedAt("/v1/consume").length, { timeout: 10_000 }).toBe(1);
    } finally {
      vi.unstubAllGlobals();
    }
    server.limit = 1_000_000;
    server.mood = "well";
    expect(await client.flush()).toEqual({ spooled: 0 });
    expect([...server.consumed, ...server.committed]).toEqual([["r1", 100]]);
  });

  test("of which more is committed than was admitted is refused, visibly", async () => {
    server.mood = "failing";
    const client = newClient({ unavailable: "open" });
    await (await client.reserve(RESERVE)).commit({ amount: 101 });
    server.mood = "well";
    server.limit = 0;
    expect(await client.flush()).toEqual({ spooled: 0 });
    expect([...server.consumed]).toEqual([]);
    expect(faults.at(-1)).toMatchObject({ kind: "uncounted", detail: expect.stringContaining("on_excess") as unknown });
  });

  test("is committed in the background when Tidemark is away just then", async () => {
    const client = newClient();
    const reservation = await client.reserve(RESERVE);
    server.mood = "breaking";
    expect(await reservation.commit({ amount: 60 })).toEqual({ delivered: false, answer: null });
    server.mood = "well";
    expect(await client.flush()).toEqual({ spooled: 0 });
    expect(server.committed.get("r.r1")).toBe(60);
  });
});

function newClient(options: Partial<TidemarkOptions> = {}): Tidemark {
  const base = { url: server.url, key: "tm_test", timeoutMs: 1_000 };
  return new Tidemark({ ...base, onError: (fault) => faults.push(fault), ...options });
}
