import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { registerCustomers } from "./customer-registration.ts";
import { countCustomers, countCustomersEvents, countEvents, readBacklog } from "./platform-figures.ts";
import { insertWatches } from "./watches.ts";

const NOW = 1_795_000_000_000;

/** A day on which each customer has one event more than the one before. */
async function storeDays(projectId: string, customers: number): Promise<void> {
  await env.DB.batch(
    Array.from({ length: customers }, (_, index) =>
      env.DB.prepare(
        `INSERT INTO usage_days (project_id, metric_id, day, customer_id, version, value, events, rejected, last_at, groups)
         VALUES (?, 'm', 20000, ?, 1, 1, ?, 1, 0, '[]')`,
      ).bind(projectId, `c${index}`, index + 1),
    ),
  );
}

const COUNTERS = [{ counter_id: "m", first: 19_990, last: 20_000 }];

test("events are added up as far as the limit, and said to be incomplete from there on", async () => {
  await storeDays("many", 5);
  const all = [{ counter_id: "m", events: 15, rejected: 5 }];
  expect(await countEvents(env.DB, "many", COUNTERS, 6)).toEqual({ counted: all, is_complete: true });
  const some = [{ counter_id: "m", events: 6, rejected: 3 }];
  expect(await countEvents(env.DB, "many", COUNTERS, 3)).toEqual({ counted: some, is_complete: false });
  expect(await countEvents(env.DB, "none", COUNTERS, 3)).toEqual({ counted: [], is_complete: true });
});

test("the customers with most events are looked for among as many as the limit says", async () => {
  await storeDays("ranked", 5);
  const top = { top: 2, limit: 5 };
  expect(await countCustomersEvents(env.DB, "ranked", COUNTERS, top)).toEqual([
    { key: "c4", count: 5 },
    { key: "c3", count: 4 },
  ]);
  expect(await countCustomersEvents(env.DB, "ranked", COUNTERS, { ...top, limit: 1 })).toEqual([
    { key: "c0", count: 1 },
  ]);
});

test("customers are counted as far as the limit", async () => {
  const customers = ["a", "b", "c"].map((customer_id) => ({ customer_id, first_seen_at: null }));
  await registerCustomers(env.DB, "three", NOW, customers).run();
  expect(await countCustomers(env.DB, "three", 5)).toBe(3);
  expect(await countCustomers(env.DB, "three", 2)).toBe(2);
  expect(await countCustomers(env.DB, "nobody's", 5)).toBe(0);
});

test("the oldest flush of a project is told, or which it is no older than behind those of others", async () => {
  const dues = [
    ["other", NOW - 9_000],
    ["other", NOW - 8_000],
    ["own", NOW - 7_000],
    ["own", NOW - 6_000],
  ] as const;
  await env.DB.batch(
    dues.map(([project_id, due_at]) =>
      insertWatches(env.DB, { due_at, id: `${project_id}-${due_at}`, project_id, watches: [] }),
    ),
  );
  const oldest = async (projectId: string, limit: number): Promise<number | null> =>
    (await readBacklog(env.DB, projectId, limit, NOW)).oldest_due_at;
  expect(await oldest("own", 5)).toBe(NOW - 7_000);
  expect(await oldest("own", 3)).toBe(NOW - 7_000);
  expect(await oldest("own", 2)).toBe(NOW - 8_000);
  expect(await oldest("third", 5)).toBeNull();
  expect(await oldest("third", 2)).toBe(NOW - 8_000);
});
