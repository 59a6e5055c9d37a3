import { env } from "cloudflare:workers";
import type { Notice } from "@tidemark/contract";
import { beforeAll, expect, test } from "vitest";
import { endAllOf, findWaiting, listDueOf, recordAttempt } from "./attempts.ts";
import { insertDeliveries, takeStalled } from "./deliveries.ts";
import { claimTurn, insertDestination, updateDestination } from "./destinations.ts";
import { insertNotices, listForgotten, listWanted } from "./notices.ts";

const NOW = Date.UTC(2031, 10, 20);
const COUNT = 1_000;
const names = Array.from({ length: COUNT }, (_, index) => `n${String(index).padStart(4, "0")}`);
const address = (id: string) => ({ project_id: "p", id });

beforeAll(async () => {
  for (const id of ["a", "b"]) await destination(id, null);
  const notice = (id: string): Notice => ({ id, kind: "threshold_crossed", metric_id: "m", at: NOW, body: "{}" });
  const made = (destination_id: string) =>
    names.map((notice_id) => ({ id: `${destination_id}-${notice_id}`, destination_id, notice_id }));
  await env.DB.batch([
    insertNotices(env.DB, "p", "acme", names.map(notice)),
    insertDeliveries(env.DB, "p", made("a"), NOW),
    insertDeliveries(env.DB, "p", made("b"), NOW),
  ]);
});

async function destination(id: string, wants: readonly string[] | null): Promise<void> {
  const row = {
    ...address(id),
    kind: "webhook" as const,
    name: id,
    url: "",
    shown_url: "",
    secrets: null,
    wants: wants === null ? null : JSON.stringify(wants),
    next_at: 0,
    failing_since: null,
    disabled_at: null,
    disabled_reason: null,
    enabled_at: NOW,
    created_at: NOW,
    updated_at: NOW,
  };
  await insertDestination(env.DB, row, 20);
}

const result = { status: 200, latency_ms: 1, error: null, now: NOW + 1 };

test("what waits for a destination is listed in the order in which it was made", async () => {
  const due = await listDueOf(env.DB, address("a"), { now: NOW, limit: 300 });
  expect(due.map(({ notice_id }) => notice_id)).toEqual(names.slice(0, 300));
});

test("an attempt is noted once, by looking up only the deliveries that it carried", async () => {
  const carried = names.slice(0, 100).map((name) => ({
    id: `a-${name}`,
    attempts: 0,
    state: "delivered" as const,
    next_at: NOW,
  }));
  const { meta } = await recordAttempt(env.DB, "p", carried, result).run();
  expect(meta.changes).toBe(100);
  expect(meta.rows_read).toBeLessThanOrEqual(500);
  const [first = { id: "", attempts: 0, state: "delivered" as const, next_at: NOW }] = carried;
  for (const late of [first, { ...first, id: "b-n0000", attempts: 1 }])
    expect((await recordAttempt(env.DB, "p", [late], result).run()).meta.changes).toBe(0);
  expect((await recordAttempt(env.DB, "other", [{ ...first, id: "b-n0000" }], result).run()).meta.changes).toBe(0);
  expect(await findWaiting(env.DB, "p", "a-n0000")).toBeUndefined();
});

test("of two that want a channel's turn one gets it", async () => {
  const turns = [0, 1].map(() => claimTurn(env.DB, address("a"), { now: NOW, until: NOW + 3_000 }));
  expect((await Promise.all(turns)).toSorted((a, b) => Number(a) - Number(b))).toEqual([false, true]);
});

test("stalled deliveries are taken once, oldest first, a part at a time", async () => {
  const span = { before: NOW + 1, now: NOW + 5_000 };
  const taken = [await takeStalled(env.DB, span, 1_500), await takeStalled(env.DB, span, 1_500)];
  expect(taken.map(({ length }) => length)).toEqual([1_500, 400]);
  expect(taken[0]?.[0]).toMatchObject({ kind: "deliver", project_id: "p", attempts: 0 });
});

test("all that waits for a destination that is disabled ends, and nothing else does", async () => {
  const end = () => endAllOf(env.DB, address("a"), NOW).run();
  expect((await end()).meta.changes).toBe(0);
  await updateDestination(env.DB, address("a"), { disabled_at: NOW, updated_at: NOW });
  const { meta } = await end();
  await updateDestination(env.DB, address("a"), { disabled_at: null, updated_at: NOW });
  expect(meta.changes).toBe(COUNT - 100);
  expect(meta.rows_read).toBeLessThanOrEqual(4 * COUNT);
  expect(await findWaiting(env.DB, "p", "b-n0000")).toBeDefined();
});

test("notices that nobody made a delivery of are found, for those who want them", async () => {
  const span = { from: NOW - 1, to: NOW + 1_000 };
  expect(await listForgotten(env.DB, span, 10)).toEqual([]);
  await destination("digests", ["digest"]);
  expect(await listForgotten(env.DB, span, 10)).toEqual([]);
  const kinds = [
    ["x", "digest", null],
    ["y", "threshold_crossed", "digests"],
    ["z", "digest", "a"],
  ] as const;
  for (const [id, kind, to] of kinds)
    await env.DB.prepare(
      "INSERT INTO notices (project_id, id, kind, customer_id, metric_id, at, body, destination_id) VALUES ('p', ?, ?, '', '', ?, '{}', ?)",
    )
      .bind(id, kind, NOW + 5, to)
      .run();
  expect((await listForgotten(env.DB, span, 10)).map(({ id }) => id).toSorted()).toEqual(["x", "y", "z"]);
  const wanted = await listWanted(env.DB, { project_id: "p", notice_ids: ["z", "x", "missing", "y"] }, NOW);
  expect(wanted.map(({ notice_id, destination_id }) => `${notice_id} ${destination_id}`)).toEqual([
    "z a",
    "x a",
    "x b",
    "x digests",
    "y digests",
  ]);
});
