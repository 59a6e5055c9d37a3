import type { JobAnswer } from "@tidemark/contract/job-schema";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { call, json, makeMetric, makeProject, type TestProject } from "../../../test/fixture.ts";

const NOW = Date.parse("2026-11-21T15:30:00Z");

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A queue that only notes what it is given: these tests are about beginning jobs. */
function noting(): { readonly JOBS: Queue<string>; readonly sent: string[] } {
  const sent: string[] = [];
  const send = async (body: string) => {
    sent.push(body);
    return { metadata: { metrics: { backlogCount: 0, backlogBytes: 0 } } };
  };
  return { sent, JOBS: { ...env.JOBS, send } };
}

interface Problem {
  readonly code: string;
  readonly detail: string;
  readonly errors?: readonly { readonly pointer: string }[];
}

async function problem(project: TestProject, target: string, body: object, status: number): Promise<Problem> {
  const answer = await call(project, target, { body, bindings: { JOBS: noting().JOBS } });
  expect(answer.status).toBe(status);
  return answer.json<Problem>();
}

describe("a backfill", () => {
  test("counts whole UTC days until now, and raises the catalog version", async () => {
    const project = await makeProject();
    const metric = await makeMetric(project, { slug: "m" });
    const version = () =>
      env.DB.prepare("SELECT catalog_version FROM projects WHERE id = ?").bind(project.id).first("catalog_version");
    const before = Number(await version());
    const { JOBS, sent } = noting();
    const job = await json<JobAnswer>(project, "POST /v1/metrics/m/backfill", {
      body: { from: "2026-10-01T13:00:00+02:00" },
      bindings: { JOBS },
      status: 202,
    });
    expect(job).toMatchObject({
      kind: "backfill",
      state: "waiting",
      metric: "m",
      version: 1,
      from: "2026-10-01",
      to: "2026-11-21",
      difference_count: 0,
    });
    expect(sent).toEqual([JSON.stringify({ project_id: project.id, job_id: job.id })]);
    expect(await version()).toBe(before + 1);
    expect(await json(project, `GET /v1/jobs/${job.id}`)).toEqual(job);
    expect(await json(project, "GET /v1/jobs")).toEqual({ data: [job] });
    const row = await env.DB.prepare("SELECT backfilled FROM metric_versions WHERE metric_id = ?")
      .bind(metric.id)
      .first();
    expect(row).toEqual({ backfilled: `[[${Date.parse("2026-10-01")},${Date.parse("2026-11-22")}]]` });
  });

  test("asked for again while it is under way is the same one; another one has to wait", async () => {
    const project = await makeProject();
    await makeMetric(project, { slug: "m" });
    const body = { from: "2026-10-01" };
    const { JOBS } = noting();
    const first = await json<JobAnswer>(project, "POST /v1/metrics/m/backfill", {
      body,
      bindings: { JOBS },
      status: 202,
    });
    const again = await json<JobAnswer>(project, "POST /v1/metrics/m/backfill", {
      body,
      bindings: { JOBS },
      status: 202,
    });
    expect(again).toEqual(first);
    const other = await problem(project, "POST /v1/jobs", { kind: "verify" }, 409);
    expect(other.detail).toContain(first.id);
  });

  test("begins although the queue does not take it: the cron trigger finds it", async () => {
    const project = await makeProject();
    await makeMetric(project, { slug: "m" });
    vi.spyOn(console, "warn").mockImplementation(() => {});
    const JOBS = { ...env.JOBS, send: () => Promise.reject(new Error("away")) } as Queue<string>;
    const job = await json<JobAnswer>(project, "POST /v1/metrics/m/backfill", {
      body: { from: "2026-10-01" },
      bindings: { JOBS },
      status: 202,
    });
    expect(job.state).toBe("waiting");
  });

  test("may choose from when on limits and charges follow", async () => {
    const project = await makeProject();
    const metric = await makeMetric(project, { slug: "m" });
    await json(project, "POST /v1/metrics/m/backfill", {
      body: { from: "2026-10-01", effective_from: "2026-11-01" },
      bindings: { JOBS: noting().JOBS },
      status: 202,
    });
    const row = await env.DB.prepare("SELECT effective_from FROM metric_versions WHERE metric_id = ?")
      .bind(metric.id)
      .first();
    expect(row).toEqual({ effective_from: Date.parse("2026-11-01") });
  });

  test.each([
    [{ from: "2026-11-22" }, "/from"],
    [{ from: "2026-11-10", to: "2026-11-10" }, "/to"],
    [{ from: "yesterday" }, "/from"],
    [{}, "/from"],
    [{ from: "2026-11-10", effective_from: "2026-11-09" }, "/effective_from"],
  ])("of %j is refused at %s", async (body, pointer) => {
    const project = await makeProject();
    await makeMetric(project, { slug: "m" });
    const { errors } = await problem(project, "POST /v1/metrics/m/backfill", body, 400);
    expect(errors?.map((error) => error.pointer)).toEqual([pointer]);
  });

  test("of a later version leaves no gap before it", async () => {
    const project = await makeProject();
    await makeMetric(project, { slug: "m" });
    await json(project, "PATCH /v1/metrics/m", { body: { group_by: ["model"] } });
    const gap = await problem(project, "POST /v1/metrics/m/backfill", { from: "2026-10-01", to: "2026-10-05" }, 400);
    expect(gap.errors?.map(({ pointer }) => pointer)).toEqual(["/to"]);
    const job = await json<JobAnswer>(project, "POST /v1/metrics/m/backfill", {
      body: { from: "2026-10-01" },
      bindings: { JOBS: noting().JOBS },
      status: 202,
    });
    expect(job.version).toBe(2);
  });
});

test("verify and rebuild cover a customer or everybody, from the beginning when nothing else is said", async () => {
  const project = await makeProject();
  const { JOBS } = noting();
  const body = { kind: "verify", customer_id: "acme", to: "2026-11-01" };
  const job = await json<JobAnswer>(project, "POST /v1/jobs", { body, bindings: { JOBS }, status: 202 });
  expect(job).toMatchObject({ kind: "verify", metric: null, customer_id: "acme", from: null, to: "2026-10-31" });
  const { errors } = await problem(project, "POST /v1/jobs", { kind: "backfill" }, 400);
  expect(errors?.map(({ pointer }) => pointer)).toEqual(["/kind"]);
});

test("a job that nobody has is not found", async () => {
  expect((await call(await makeProject(), "GET /v1/jobs/job_none")).status).toBe(404);
});
