import type { NotificationMessage } from "@tidemark/contract";
import type { DigestAnswer } from "@tidemark/contract/digest-schema";
import { DIGESTS_AT_ONCE, DIGESTS_PER_RUN_MAX, DIGESTS_RUN_MS } from "@tidemark/contract/query-limits";
import { DAY_MS } from "@tidemark/core/timestamp";
import { insertNearLimits } from "@tidemark/db/near-limits";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { makeDigest, makeDigestProject } from "../test/digest-fixture.ts";
import { json, makeMetric, store, type TestProject, type Use } from "../test/fixture.ts";
import { consume, setAllowance } from "../test/quota-fixture.ts";
import type { QueryEnv } from "./env.ts";
import { runDigests } from "./run-digests.ts";

const MONDAY = Date.parse("2026-11-23T09:00:00Z");
const MINUTE_MS = 60_000;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: MONDAY - MINUTE_MS });
  // Each test looks at what is due of all projects.
  await env.DB.prepare("DELETE FROM digests").run();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Runs the cron trigger so many minutes after the digests are due. @returns of whose digests the queue was told. */
async function run(
  minutes: number,
  send: (projectId: string) => void = () => undefined,
  bindings: Partial<QueryEnv> = {},
): Promise<readonly string[]> {
  const now = MONDAY + minutes * MINUTE_MS;
  vi.setSystemTime(now);
  const told: string[] = [];
  const queue = {
    send: async (text: string) => {
      const { project_id } = JSON.parse(text) as NotificationMessage;
      send(project_id);
      told.push(project_id);
    },
  };
  await runDigests({ ...env, ...bindings, NOTIFICATIONS: queue as unknown as QueryEnv["NOTIFICATIONS"] }, now);
  return told;
}

async function read(project: TestProject): Promise<DigestAnswer | undefined> {
  return (await json<{ data: DigestAnswer[] }>(project, "GET /v1/digests")).data[0];
}

describe("a digest that fails", () => {
  test("is tried again after as long as it has waited, six hours at most, and holds up nobody", async () => {
    const [failing, other] = [(await makeDigestProject()).project, (await makeDigestProject()).project];
    await makeDigest(failing);
    await makeDigest(other);
    const tries: number[] = [];
    for (let minutes = 0; minutes < 24 * 60; minutes += 5) {
      const told = await run(minutes, (projectId) => {
        if (projectId !== failing.id) return;
        tries.push(minutes);
        throw new Error("D1_ERROR: a query took too long.");
      });
      expect(told).toEqual(minutes === 0 ? [other.id] : []);
    }
    expect(tries).toEqual([0, 5, 10, 20, 40, 80, 160, 320, 640, 1_000, 1_360]);
    expect(await read(failing)).toMatchObject({
      next_at: "2026-11-23T09:00:00Z",
      last_error: expect.stringContaining("tried again") as string,
    });
    expect(await read(other)).toMatchObject({ next_at: "2026-11-30T09:00:00Z", last_error: null });
    expect(await run(1_720)).toEqual([failing.id]);
    expect(await read(failing)).toMatchObject({ next_at: "2026-11-30T09:00:00Z", last_error: null });
    const ids = await env.DB.prepare("SELECT id FROM notices WHERE project_id = ?").bind(failing.id).raw();
    expect(ids).toEqual([[expect.stringMatching(/:2026-11-16$/) as string]]);
  });

  test("is tried again at once when it is changed, and forgets the error with the metric", async () => {
    const { project } = await makeDigestProject();
    await makeMetric(project, { slug: "other" });
    const { id } = await makeDigest(project);
    await run(0, () => {
      throw new Error("The database is away.");
    });
    const body = { metric: "other" };
    const changed = await json<DigestAnswer>(project, `PATCH /v1/digests/${id}`, { body });
    expect(changed).toMatchObject({ next_at: "2026-11-23T09:00:00Z", last_error: null });
    expect(await read(project)).toEqual(changed);
    expect(await run(1)).toEqual([project.id]);
  });
});

describe("a run", () => {
  test("begins nothing after a minute, and the next one goes on", async () => {
    const { project } = await makeDigestProject();
    for (let index = 0; index < DIGESTS_AT_ONCE + 2; index++) await makeDigest(project);
    const isSlow = (): void => void vi.setSystemTime(MONDAY + DIGESTS_RUN_MS);
    expect(await run(0, isSlow)).toHaveLength(DIGESTS_AT_ONCE);
    expect(await run(5)).toHaveLength(2);
    expect(await run(10)).toEqual([]);
  });

  test("asks the database less often than one invocation may", async () => {
    const { project, metricId } = await makeDigestProject();
    const use = (customer: string, days: number, value: number): Use => ({
      customer,
      at: MONDAY - days * DAY_MS,
      value,
    });
    await store(project, metricId, [use("a", 9, 1), use("a", 1, 5), use("b", 9, 9), use("b", 1, 1), use("c", 9, 1)]);
    const balances = [{ metric_id: metricId, balance: "b", at: MONDAY, cycle_end: MONDAY + DAY_MS }];
    await insertNearLimits(env.DB, {
      kind: "near_limits",
      project_id: project.id,
      customer_id: "a",
      balances,
    }).run();
    await setAllowance(project, "a", { metric: "m", base: 10, cycle: { anchor: "2026-11-01T00:00:00Z" } });
    await consume(project, "a", "m", { amount: 9 });
    await makeDigest(project);
    let asked = 0;
    const DB = new Proxy(env.DB, {
      get(target, name) {
        asked++;
        const value: unknown = Reflect.get(target, name);
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
    expect(await run(0, undefined, { DB })).toEqual([project.id]);
    expect(asked * DIGESTS_PER_RUN_MAX).toBeLessThan(1_000);
  });
});
