import type { ProblemBody } from "@tidemark/contract";
import type { QuarantineAnswer } from "@tidemark/contract/quarantine-schema";
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { call, json, makeProject, type TestProject } from "../../../test/fixture.ts";

const AT = Date.parse("2026-11-20T10:00:00Z");

async function hold(project: TestProject, id: string, body: string, at = AT): Promise<void> {
  await env.DB.prepare(
    "INSERT INTO quarantine (project_id, id, reason, detail, customer_id, body, created_at) VALUES (?, ?, 'conflict', 'why', 'acme', ?, ?)",
  )
    .bind(project.id, id, body, at)
    .run();
}

/** A queue that keeps what it is sent. */
function recordingQueue(): { queue: Queue<string>; sent: unknown[] } {
  const sent: unknown[] = [];
  const send = async (...message: unknown[]) => void sent.push(message);
  return { queue: { send } as unknown as Queue<string>, sent };
}

const events = (project: TestProject) =>
  `{"v":1,"project_id":"${project.id}","received_at":1,"events":[{"id":"e1","event":"a","customer_id":"acme","properties":{"n":12345678901234567890}}]}`;

describe("what is held back", () => {
  test("is listed with the reason and the events", async () => {
    const project = await makeProject();
    await hold(project, "q1", events(project));
    await hold(project, "q2", "not json <b>", AT + 1);
    await hold(project, "q3", '{"kind":"usage","project_id":"x","days":[]}', AT + 2);
    const list = await json<{ data: QuarantineAnswer[]; next_cursor: string | null }>(project, "GET /v1/quarantine");
    const common = { reason: "conflict", detail: "why", customer_id: "acme", replayed_at: null };
    expect(list).toEqual({
      data: [
        {
          ...common,
          id: "q3",
          at: "2026-11-20T10:00:00.002Z",
          events: [],
          body: '{"kind":"usage","project_id":"x","days":[]}',
        },
        { ...common, id: "q2", at: "2026-11-20T10:00:00.001Z", events: [], body: "not json <b>" },
        {
          ...common,
          id: "q1",
          at: "2026-11-20T10:00:00Z",
          body: null,
          events: [{ id: "e1", event: "a", customer_id: "acme", properties: { n: "12345678901234567890" } }],
        },
      ],
      next_cursor: null,
    });
  });

  test("is listed page by page, each once", async () => {
    const project = await makeProject();
    for (let i = 0; i < 5; i++) await hold(project, `q${i}`, "{}", AT + Math.floor(i / 2));
    const seen: string[] = [];
    let cursor = "";
    do {
      const page = await json<{ data: QuarantineAnswer[]; next_cursor: string | null }>(
        project,
        `GET /v1/quarantine?limit=2${cursor}`,
      );
      seen.push(...page.data.map(({ id }) => id));
      cursor = page.next_cursor === null ? "" : `&cursor=${page.next_cursor}`;
    } while (cursor !== "");
    expect(seen).toEqual(["q4", "q3", "q2", "q1", "q0"]);
    const problem = await json<ProblemBody>(project, "GET /v1/quarantine?limit=101", { status: 400 });
    expect(problem.errors?.[0]).toMatchObject({ pointer: "/limit", code: "too_big" });
  });
});

describe("putting back", () => {
  test("sends the events as they were held, to the queue they came from", async () => {
    const project = await makeProject();
    await hold(project, "q1", events(project));
    const { queue, sent } = recordingQueue();
    const replayed = await json(project, "POST /v1/quarantine/q1/replay", { bindings: { EVENTS: queue } });
    expect(replayed).toEqual({ id: "q1", replayed_at: expect.stringMatching(/Z$/) as string });
    expect(sent).toEqual([[events(project), { contentType: "text" }]]);
    const { data } = await json<{ data: QuarantineAnswer[] }>(project, "GET /v1/quarantine");
    expect(data[0]?.replayed_at).toBe(replayed["replayed_at"]);
  });

  test("sends a rollup to the rollup queue, and needs its binding", async () => {
    const project = await makeProject();
    const body = `{"kind":"usage","project_id":"${project.id}","customer_id":"acme","days":[]}`;
    await hold(project, "q1", body);
    const { queue, sent } = recordingQueue();
    const { ROLLUPS: _rollups, ...without } = { ...env };
    const refused = await call(project, "POST /v1/quarantine/q1/replay", {
      bindings: { ...without, ROLLUPS: undefined as never },
    });
    expect(refused.status).toBe(409);
    await json(project, "POST /v1/quarantine/q1/replay", { bindings: { ROLLUPS: queue } });
    expect(sent).toEqual([[body, { contentType: "text" }]]);
  });

  test.each([
    ["notify", { notice_ids: ["n"] }],
    ["deliver", { destination_id: "dst_1", delivery_id: "dlv_1", attempts: 0 }],
  ])("sends a message of kind %s to the notification queue", async (kind, rest) => {
    const project = await makeProject();
    const body = JSON.stringify({ kind, project_id: project.id, ...rest });
    await hold(project, "q1", body);
    const { queue, sent } = recordingQueue();
    await json(project, "POST /v1/quarantine/q1/replay", { bindings: { NOTIFICATIONS: queue } });
    expect(sent).toEqual([[body, { contentType: "text" }]]);
  });

  test.each([
    ["that is not JSON", () => "not json"],
    ["that is not a message", () => '{"hello":1}'],
    ["of another project", () => '{"v":1,"project_id":"other","received_at":1,"events":[]}'],
  ])("refuses a body %s and sends nothing", async (_what, body) => {
    const project = await makeProject();
    await hold(project, "q1", body());
    const { queue, sent } = recordingQueue();
    const problem = await json<ProblemBody>(project, "POST /v1/quarantine/q1/replay", {
      bindings: { EVENTS: queue, ROLLUPS: queue },
      status: 409,
    });
    expect([problem.code, sent]).toEqual(["conflict", []]);
  });

  test("keeps the entry as it was when the queue does not take it", async () => {
    const project = await makeProject();
    await hold(project, "q1", events(project));
    const queue = { send: () => Promise.reject(new Error("full")) } as unknown as Queue<string>;
    const response = await call(project, "POST /v1/quarantine/q1/replay", { bindings: { EVENTS: queue } });
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "2"]);
    const { data } = await json<{ data: QuarantineAnswer[] }>(project, "GET /v1/quarantine");
    expect(data[0]?.replayed_at).toBeNull();
  });

  test("leaves another project's entry of the same id alone", async () => {
    const [mine, theirs] = [await makeProject(), await makeProject()];
    await hold(mine, "q1", events(mine));
    await hold(theirs, "q1", events(theirs));
    const { queue, sent } = recordingQueue();
    await json(mine, "POST /v1/quarantine/q1/replay", { bindings: { EVENTS: queue } });
    expect(sent).toEqual([[events(mine), { contentType: "text" }]]);
    const { data } = await json<{ data: QuarantineAnswer[] }>(theirs, "GET /v1/quarantine");
    expect(data[0]?.replayed_at).toBeNull();
  });

  test("knows no other entries", async () => {
    await json(await makeProject(), "POST /v1/quarantine/nope/replay", { status: 404 });
  });
});
