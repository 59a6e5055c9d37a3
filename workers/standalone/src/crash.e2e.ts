import { setTimeout as wait } from "node:timers/promises";
import { ApiClient, eventually } from "@tidemark/testing/api-client";
import { type MortalServer, newDirectory, startMortalServer } from "@tidemark/testing/server";
import { expect, test } from "vitest";

const CUSTOMERS = 20;
const BATCH = 100;
const BATCHES_A_LIFE = 40;
const LIVES = 4;

/** The `n`-th batch: its events are the same whenever it is sent. */
function batch(n: number, at: number): object[] {
  return Array.from({ length: BATCH }, (_, i) => ({
    id: `${n}-${i}`,
    event: "call",
    customer_id: `customer-${(n * 7 + i) % CUSTOMERS}`,
    timestamp: at,
    properties: { units: i },
  }));
}

/** Sends batches four at a time until the server is gone. */
async function sendWhileAlive(server: MortalServer, batches: readonly object[][]): Promise<void> {
  const ingest = new ApiClient(server.url, server.keys.ingest);
  const queue = batches.values();
  const work = async (): Promise<void> => {
    for (const events of queue) await ingest.post("/v1/events", events);
  };
  await Promise.allSettled([work(), work(), work(), work()]);
}

test("killed outright under load again and again, and everything sent once more: each event is counted once", async () => {
  const stateDirectory = newDirectory();
  const at = Date.now();
  const all = Array.from({ length: BATCHES_A_LIFE * LIVES }, (_, n) => batch(n, at));

  for (let life = 0; life < LIVES; life++) {
    const server = await startMortalServer(stateDirectory);
    if (life === 0) {
      const admin = new ApiClient(server.url, server.keys.admin);
      const matcher = { event_matchers: [{ event: "call" }] };
      await admin.post("/v1/metrics", { name: "Calls", ...matcher, aggregation: "count" });
      await admin.post("/v1/metrics", { name: "Units", ...matcher, aggregation: "sum", value_property: "units" });
    }
    const sending = sendWhileAlive(server, all.slice(life * BATCHES_A_LIFE, (life + 1) * BATCHES_A_LIFE));
    // Each life ends elsewhere: while posting, while the queue delivers, while meters flush.
    await wait(150 + life * 900);
    await server.kill();
    await sending;
  }

  const server = await startMortalServer(stateDirectory);
  try {
    // A local queue dies with its process, so a client that got no answer, or any, sends again.
    await sendWhileAlive(server, all);
    const read = new ApiClient(server.url, server.keys.read);
    const totals = async (metric: string): Promise<Record<string, string>> => {
      const { data } = await read.get<{ data: { customer_id: string; total: string }[] }>(
        `/v1/reports/top-customers?metric=${metric}&days=7&limit=100`,
      );
      return Object.fromEntries(data.map((row) => [row.customer_id, row.total]));
    };
    const expected = (value: (event: { properties: { units: number } }) => number): Record<string, string> => {
      const sums: Record<string, number> = {};
      for (const event of all.flat() as { customer_id: string; properties: { units: number } }[]) {
        sums[event.customer_id] = (sums[event.customer_id] ?? 0) + value(event);
      }
      return Object.fromEntries(Object.entries(sums).map(([customer, sum]) => [customer, String(sum)]));
    };
    const calls = expected(() => 1);
    const counted = await eventually(
      () => totals("calls"),
      (found) => Object.entries(calls).every(([customer, sum]) => Number(found[customer]) >= Number(sum)),
      60_000,
    );
    expect(counted).toEqual(calls);
    expect(await totals("units")).toEqual(expected((event) => event.properties.units));
    expect(await read.get("/v1/quarantine")).toMatchObject({ data: [] });
  } finally {
    await server.kill();
  }
});
