import type { NotificationMessage } from "@tidemark/contract";
import type { DigestAnswer, DigestBody } from "@tidemark/contract/digest-schema";
import { DIGEST_BYTES_MAX, DIGEST_ROWS_MAX } from "@tidemark/contract/query-limits";
import { DAY_MS, HOUR_MS } from "@tidemark/core/timestamp";
import { insertNearLimits } from "@tidemark/db/near-limits";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { makeDigest, makeDigestProject } from "../test/digest-fixture.ts";
import { json, makeMetric, store, type TestProject, type Use } from "../test/fixture.ts";
import { consume, metersThatFail, report, setAllowance } from "../test/quota-fixture.ts";
import type { QueryEnv } from "./env.ts";
import { runDigests } from "./run-digests.ts";

// A Saturday.
const NOW = Date.parse("2026-11-21T15:30:00Z");
const MONDAY = Date.parse("2026-11-23T09:00:00Z");
const WEEK_MS = 7 * DAY_MS;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
  // Each test looks at what is due of all projects.
  await env.DB.prepare("DELETE FROM digests").run();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Runs the cron trigger. @returns what was put into the queue. */
async function run(now: number, send?: (text: string) => void): Promise<readonly NotificationMessage[]> {
  vi.setSystemTime(now);
  const sent: NotificationMessage[] = [];
  const queue = {
    send: async (text: string) => {
      send?.(text);
      sent.push(JSON.parse(text) as NotificationMessage);
    },
  };
  await runDigests({ ...env, NOTIFICATIONS: queue as unknown as QueryEnv["NOTIFICATIONS"] }, now);
  return sent;
}

interface Kept {
  readonly id: string;
  readonly kind: string;
  readonly at: number;
  readonly customer_id: string;
  readonly destination_id: string;
  readonly body: string;
}

async function notices(project: TestProject): Promise<readonly Kept[]> {
  const { results } = await env.DB.prepare(
    "SELECT id, kind, at, customer_id, destination_id, body FROM notices WHERE project_id = ? ORDER BY at",
  )
    .bind(project.id)
    .all<Kept>();
  return results;
}

/** So much on each day from so many days before Monday to so many. */
function daily(customer: string, from: number, to: number, value: number): Use[] {
  const days = Array.from({ length: from - to + 1 }, (_, index) => from - index);
  return days.map((day) => ({ customer, at: MONDAY - day * DAY_MS, value }));
}

describe("a week", () => {
  async function fill(): Promise<{ readonly project: TestProject; readonly digest: DigestAnswer }> {
    const { project, metricId } = await makeDigestProject();
    await store(project, metricId, [
      ...daily("steady", 14, 1, 10),
      ...daily("grown", 14, 8, 10),
      ...daily("grown", 7, 1, 14),
      ...daily("dropped", 14, 8, 10),
      ...daily("dropped", 7, 1, 4),
      ...daily("quiet", 14, 9, 5),
      ...daily("steady", 0, 0, 999),
      ...daily("long-gone", 30, 20, 7),
    ]);
    await setAllowance(project, "steady", { metric: "m", base: 1_000, cycle: { anchor: "2026-11-01T00:00:00Z" } });
    await consume(project, "steady", "m", { amount: 850 });
    const balances = [{ metric_id: metricId, balance: "b", at: NOW, cycle_end: MONDAY + WEEK_MS }];
    const near = { kind: "near_limits", project_id: project.id, customer_id: "steady", balances } as const;
    await insertNearLimits(env.DB, near).run();
    await env.DB.prepare("UPDATE customers SET name = 'Grown Ltd' WHERE project_id = ? AND customer_id = 'grown'")
      .bind(project.id)
      .run();
    return { project, digest: await makeDigest(project) };
  }

  const WEEK = {
    digest: "Monday morning",
    metric: "m",
    name: "API requests",
    unit: "events",
    period: { from: "2026-11-16", to: "2026-11-22" },
    time_zone: "UTC",
    approximate: false,
    total: { value: "196", previous: "240", change: "-0.1833" },
    grew: {
      count: 1,
      rows: [{ customer_id: "grown", name: "Grown Ltd", value: "98", previous: "70", change: "0.4" }],
    },
    dropped: {
      count: 2,
      rows: [
        { customer_id: "quiet", name: null, value: "0", previous: "30", change: "-1" },
        { customer_id: "dropped", name: null, value: "28", previous: "70", change: "-0.6" },
      ],
    },
    went_quiet: {
      count: 1,
      rows: [{ customer_id: "quiet", name: null, value: "30", last_seen_at: "2026-11-14T09:00:00Z", silent_days: 9 }],
    },
    near_limits: {
      count: 1,
      rows: [{ customer_id: "steady", name: null, label: null, value: "850", allowance: "1000", share: "0.85" }],
      unanswered: 0,
      more: false,
    },
  };

  test("is told once, to its destination, and then is due in a week", async () => {
    const { project, digest } = await fill();
    expect(await run(MONDAY - 1)).toEqual([]);
    const id = `digest:${digest.id}:2026-11-16`;
    expect(await run(MONDAY)).toEqual([{ kind: "notify", project_id: project.id, notice_ids: [id] }]);
    expect(await run(MONDAY)).toEqual([]);
    const [notice, ...others] = await notices(project);
    expect(others).toEqual([]);
    expect(notice).toMatchObject({ id, kind: "digest", at: MONDAY, customer_id: "", destination_id: "dst_1" });
    expect(JSON.parse(notice?.body ?? "")).toEqual({ digest_id: digest.id, as_of: "2026-11-23T09:00:00Z", ...WEEK });
    expect(await json(project, `GET /v1/digests/${digest.id}`)).toMatchObject({ next_at: "2026-11-30T09:00:00Z" });
  });

  test("can be seen before, and nothing is told", async () => {
    const { project, digest } = await fill();
    vi.setSystemTime(MONDAY - HOUR_MS);
    const preview = await json<DigestBody>(project, `POST /v1/digests/${digest.id}/preview`);
    expect(preview).toEqual({
      digest_id: digest.id,
      as_of: "2026-11-23T08:00:00Z",
      ...WEEK,
      went_quiet: { ...WEEK.went_quiet, rows: [{ ...WEEK.went_quiet.rows[0], silent_days: 8 }] },
    });
    expect(await notices(project)).toEqual([]);
  });

  test("is the same when the cron trigger comes late, and of weeks that were missed only the last is told", async () => {
    const late = await fill();
    await run(MONDAY + 20 * HOUR_MS);
    const [notice] = await notices(late.project);
    expect(notice?.at).toBe(MONDAY);
    expect(JSON.parse(notice?.body ?? "")).toMatchObject({ ...WEEK, as_of: "2026-11-24T05:00:00Z" });
    const after = MONDAY + 5 * WEEK_MS + HOUR_MS;
    await run(after);
    await run(after);
    const told = (await notices(late.project)).map(({ id, at }) => [id.split(":").at(-1), at]);
    expect(told).toEqual([
      ["2026-11-16", MONDAY],
      ["2026-12-21", MONDAY + 5 * WEEK_MS],
    ]);
    expect(await json(late.project, `GET /v1/digests/${late.digest.id}`)).toMatchObject({
      next_at: "2027-01-04T09:00:00Z",
    });
  });

  test("is told although the queue failed at first, and once although two runs make it at the same time", async () => {
    const { project } = await fill();
    const fail = (): never => {
      throw new Error("The queue did not answer.");
    };
    expect(await run(MONDAY, fail)).toEqual([]);
    const [first] = await notices(project);
    const both = await Promise.all([run(MONDAY + 300_000), run(MONDAY + 300_000)]);
    expect(new Set(both.flat().map((message) => JSON.stringify(message))).size).toBe(1);
    expect(await notices(project)).toEqual([first]);
    expect(await run(MONDAY + 600_000)).toEqual([]);
  });

  test("begins and ends at midnight of the project's zone, at the same hour of its clock all year", async () => {
    const { project } = await makeDigestProject("Europe/Berlin");
    vi.setSystemTime(Date.parse("2026-10-20T00:00Z"));
    await makeDigest(project);
    for (const at of ["2026-10-26T07:59Z", "2026-10-26T08:00Z", "2026-11-02T08:00Z"]) await run(Date.parse(at));
    const told = (await notices(project)).map(({ at, body }) => [at, (JSON.parse(body) as DigestBody).period]);
    expect(told).toEqual([
      [Date.parse("2026-10-26T08:00Z"), { from: "2026-10-19", to: "2026-10-25" }],
      [Date.parse("2026-11-02T08:00Z"), { from: "2026-10-26", to: "2026-11-01" }],
    ]);
  });

  test("of a metric that is gone is not told, and others are", async () => {
    const [gone, other] = [await makeDigestProject(), await fill()];
    await makeDigest(gone.project);
    await env.DB.prepare("UPDATE metrics SET deleted_at = 1 WHERE project_id = ?").bind(gone.project.id).run();
    expect(await run(MONDAY)).toHaveLength(1);
    expect([await notices(gone.project), (await notices(other.project)).length]).toEqual([[], 1]);
    expect(await run(MONDAY)).toEqual([]);
    const { data } = await json<{ data: DigestAnswer[] }>(gone.project, "GET /v1/digests");
    expect(data).toMatchObject([
      { next_at: "2026-11-30T09:00:00Z", last_error: expect.stringContaining("no metric") as string },
    ]);
  });

  test("counts each customer near a limit once, and says whom it does not know", async () => {
    const { project } = await makeDigestProject();
    const { id } = await makeMetric(project, { slug: "calls", aggregation: "count", group_by: ["region"] });
    for (const customer of ["one", "two"]) {
      const cycle = { anchor: "2026-11-01T00:00:00Z" };
      await setAllowance(project, customer, { metric: "calls", base: 10, per: "region", cycle });
      const facts = Array.from({ length: 7 }, (_, region) => ({ at: NOW, value: 9, labels: [`r${region}`] }));
      await report(project, customer, { id, aggregation: "count" }, facts);
      const balances = [{ metric_id: id, balance: "b", at: NOW, cycle_end: MONDAY }];
      await insertNearLimits(env.DB, {
        kind: "near_limits",
        project_id: project.id,
        customer_id: customer,
        balances,
      }).run();
    }
    const digest = await makeDigest(project, { metric: "calls" });
    const preview = async (bindings = {}): Promise<DigestBody["near_limits"]> =>
      (await json<DigestBody>(project, `POST /v1/digests/${digest.id}/preview`, { bindings })).near_limits;
    const { rows, ...counts } = await preview();
    expect(counts).toEqual({ count: 2, unanswered: 0, more: false });
    expect(rows).toHaveLength(DIGEST_ROWS_MAX);
    expect(await preview({ METERS: metersThatFail() })).toEqual({ count: 0, rows: [], unanswered: 2, more: false });
  });

  test("of many customers with long names still is a message", async () => {
    const { project, metricId } = await makeDigestProject();
    const name = (who: number): string => `${who}${"ü".repeat(100)}`;
    const who = Array.from({ length: 20 }, (_, index) => index);
    await store(
      project,
      metricId,
      who.flatMap((index) => [...daily(name(index), 14, 8, 10), ...(index < 10 ? daily(name(index), 7, 1, 20) : [])]),
    );
    await env.DB.prepare("UPDATE customers SET name = customer_id WHERE project_id = ?").bind(project.id).run();
    await makeDigest(project);
    await run(MONDAY);
    const [notice] = await notices(project);
    expect(new TextEncoder().encode(notice?.body).length).toBeLessThanOrEqual(DIGEST_BYTES_MAX);
    const { grew, dropped } = JSON.parse(notice?.body ?? "") as DigestBody;
    expect([grew.count, dropped.count]).toEqual([10, 10]);
    expect(grew.rows.length).toBeGreaterThan(5);
  });
});
