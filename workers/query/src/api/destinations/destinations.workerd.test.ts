import { DESTINATIONS_MAX, type NotificationMessage, type ProblemBody } from "@tidemark/contract";
import type { Delivery } from "@tidemark/contract/delivery-schema";
import type { Destination } from "@tidemark/contract/destination-schema";
import type { NoticeAnswer } from "@tidemark/contract/notice-schema";
import { insertDeliveries } from "@tidemark/db/deliveries";
import { updateDestination } from "@tidemark/db/destinations";
import { insertNotices } from "@tidemark/db/notices";
import { unseal } from "@tidemark/http/seal";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { call, json, makeProject, type TestProject } from "../../../test/fixture.ts";
import type { QueryEnv } from "../../index.ts";

const NOW = Date.UTC(2031, 10, 20, 12);
const URL_OF_IT = "https://hooks.acme.com/usage/very-secret-path?token=secret";
const SLACK = "https://hooks.slack.com/services/T0SECRET/B0SECRET/verysecretXYZW";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
});

type Made = Destination & { readonly secret: string | null };

function make<Answer = Made>(project: TestProject, body: object = {}, status = 201): Promise<Answer> {
  const input = { kind: "webhook", name: "Billing", url: URL_OF_IT, ...body };
  return json(project, "POST /v1/destinations", { body: input, status });
}

async function stored({ id }: { readonly id: string }): Promise<Record<string, unknown>> {
  return (await env.DB.prepare("SELECT * FROM destinations WHERE id = ?").bind(id).first()) ?? {};
}

/** A queue that only notes what it is given. */
function notedQueue(): { readonly messages: NotificationMessage[]; readonly bindings: Partial<QueryEnv> } {
  const messages: NotificationMessage[] = [];
  const send = async (body: string): Promise<void> => {
    messages.push(JSON.parse(body) as NotificationMessage);
  };
  return { messages, bindings: { NOTIFICATIONS: { send } as unknown as QueryEnv["NOTIFICATIONS"] } };
}

describe("a destination", () => {
  test("answers its secret once, and is shown without what may be secret", async () => {
    const project = await makeProject();
    const { secret, ...made } = await make(project);
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(made).toEqual({
      id: expect.stringMatching(/^dst_/) as string,
      kind: "webhook",
      name: "Billing",
      shown_url: "https://hooks.acme.com/…cret",
      wants: null,
      enabled: true,
      disabled_at: null,
      disabled_reason: null,
      failing_since: null,
      created_at: "2031-11-20T12:00:00Z",
      updated_at: "2031-11-20T12:00:00Z",
    });
    const key = project.keys.read;
    expect(await json(project, `GET /v1/destinations/${made.id}`, { key })).toEqual(made);
    expect(await json(project, "GET /v1/destinations", { key })).toEqual({ data: [made], next_cursor: null });
  });

  test("keeps address and secret sealed", async () => {
    const project = await makeProject();
    const { id, secret } = await make(project);
    const row = await stored({ id });
    expect(JSON.stringify(row)).not.toMatch(/very-secret-path|token|whsec/);
    expect(await unseal(String(row["url"]), env.KEY_PEPPER, [project.id, id, "url"])).toBe(URL_OF_IT);
    expect(await unseal(String(row["secrets"]), env.KEY_PEPPER, [project.id, id, "secrets"])).toContain(secret);
  });

  test("of Slack has no secret, and only the end of its address is shown", async () => {
    const project = await makeProject();
    const { id, secret, shown_url } = await make(project, { kind: "slack", url: SLACK });
    expect([secret, shown_url]).toEqual([null, "https://hooks.slack.com/…XYZW"]);
    const problem = await json<ProblemBody>(project, `POST /v1/destinations/${id}/rotate`, { body: {}, status: 409 });
    expect(problem.detail).toContain("only webhooks have one");
  });

  test("is changed field by field, and moved to another address only where that is public", async () => {
    const project = await makeProject();
    const { id } = await make(project);
    const patch = (body: object, status = 200) => json(project, `PATCH /v1/destinations/${id}`, { body, status });
    expect(await patch({ name: "Ops", wants: ["digest"] })).toMatchObject({ name: "Ops", wants: ["digest"] });
    expect(await patch({ wants: null, url: "https://example.com/" })).toMatchObject({
      name: "Ops",
      wants: null,
      shown_url: "https://example.com/",
    });
    const delivery = await notify(project, id);
    expect(await patch({ enabled: false })).toMatchObject({ enabled: false, disabled_reason: "by_person" });
    expect(await json(project, `GET /v1/deliveries/${delivery}`)).toMatchObject({ state: "failed", error: "disabled" });
    expect(await patch({ enabled: true })).toMatchObject({ enabled: true, disabled_at: null, disabled_reason: null });
    expect(await patch({ url: "https://127.0.0.1/" }, 400)).toMatchObject({
      errors: [{ pointer: "/url", detail: "Must name a host, not an IP address." }],
    });
    expect(await patch({ url: "http://localhost/own" }, 400)).toMatchObject({ errors: [{ pointer: "/url" }] });
    await patch({}, 400);
  });

  test("that is moved or enabled is asked at once, and hears of what is told from when it was enabled", async () => {
    const project = await makeProject();
    const { id } = await make(project);
    const away = { next_at: NOW + 3_600_000, failing_since: NOW };
    const patch = (body: object) => json(project, `PATCH /v1/destinations/${id}`, { body });
    const leaveAlone = () => updateDestination(env.DB, { project_id: project.id, id }, { ...away, updated_at: NOW });
    await leaveAlone();
    await patch({ url: "https://example.com/" });
    expect(await stored({ id })).toMatchObject({ next_at: 0, failing_since: null, enabled_at: NOW });
    await leaveAlone();
    vi.setSystemTime(NOW + 1);
    await patch({ enabled: true });
    expect(await stored({ id })).toMatchObject({ ...away, failing_since: null, enabled_at: NOW });
    await patch({ enabled: false });
    await patch({ enabled: true });
    expect(await stored({ id })).toMatchObject({ next_at: 0, failing_since: null, enabled_at: NOW + 1 });
  });

  test.each(["test", "resend"])("that does not answer is asked at once where a person wants a %s", async (verb) => {
    const project = await makeProject();
    const { id } = await make(project);
    const delivery = await notify(project, id);
    await updateDestination(env.DB, { project_id: project.id, id }, { next_at: NOW + 1, updated_at: NOW });
    const target = verb === "test" ? `POST /v1/destinations/${id}/test` : `POST /v1/deliveries/${delivery}/resend`;
    await json(project, target, { bindings: notedQueue().bindings, status: 202 });
    expect(await stored({ id })).toMatchObject({ next_at: 0 });
  });

  test("is gone when it is deleted, with what waits for it, unless a digest goes there", async () => {
    const project = await makeProject();
    const { id } = await make(project);
    await notify(project, id);
    await env.DB.prepare(
      `INSERT INTO digests (project_id, id, name, metric_id, destination_id, weekday, hour, next_at, try_at, created_at, updated_at)
       VALUES (?, 'dig_1', 'd', 'm', ?, 1, 9, 0, 0, 0, 0)`,
    )
      .bind(project.id, id)
      .run();
    const remove = async () => (await call(project, `DELETE /v1/destinations/${id}`)).status;
    expect(await remove()).toBe(409);
    await env.DB.prepare("DELETE FROM digests WHERE project_id = ?").bind(project.id).run();
    expect([await remove(), await remove()]).toEqual([204, 404]);
    const { data } = await json<{ data: Delivery[] }>(project, "GET /v1/deliveries");
    expect(data.map(({ state, error }) => [state, error])).toEqual([["failed", "disabled"]]);
  });

  test("is one of as many as a project can have", async () => {
    const project = await makeProject();
    for (let count = 0; count < DESTINATIONS_MAX; count++) await make(project);
    expect((await make<ProblemBody>(project, {}, 409)).detail).toContain(String(DESTINATIONS_MAX));
  });

  test("that was asked for twice with one Idempotency-Key is one, and its secret is not told again", async () => {
    const project = await makeProject();
    const body = { kind: "webhook", name: "Billing", url: URL_OF_IT };
    const headers = { "idempotency-key": "once" };
    const { id } = await json<Made>(project, "POST /v1/destinations", { body, headers, status: 201 });
    const again = await json<ProblemBody>(project, "POST /v1/destinations", { body, headers, status: 409 });
    expect(again.detail).toContain(id);
    expect((await json<{ data: unknown[] }>(project, "GET /v1/destinations")).data).toHaveLength(1);
  });
});

test.each([
  [{ kind: "email" }, "/kind"],
  [{ name: "" }, "/name"],
  [{ name: "=x" }, "/name"],
  [{ name: "a".repeat(129) }, "/name"],
  [{ url: "" }, "/url"],
  [{ url: "nonsense" }, "/url"],
  [{ url: "http://hooks.acme.com/" }, "/url"],
  [{ url: "https://0x7f.1/" }, "/url"],
  [{ url: "https://localhost./" }, "/url"],
  [{ kind: "slack" }, "/url"],
  [{ wants: [] }, "/wants"],
  [{ wants: ["nothing"] }, "/wants/0"],
  [{ wants: ["digest", "digest"] }, "/wants"],
  [{ secret: "mine" }, "/secret"],
])("a destination is not made of %j", async (body, pointer) => {
  const problem = await make<ProblemBody>(await makeProject(), body, 400);
  expect(problem.errors?.map((error) => error.pointer)).toEqual([pointer]);
});

describe("a rotation", () => {
  const rotate = (project: TestProject, id: string, body: object = {}) =>
    json<Made>(project, `POST /v1/destinations/${id}/rotate`, { body });
  const secretsOf = async (
    project: TestProject,
    id: string,
  ): Promise<{ secret: string; expires_at: number | null }[]> => {
    const sealed = String((await stored({ id }))["secrets"]);
    return JSON.parse((await unseal(sealed, env.KEY_PEPPER, [project.id, id, "secrets"])) ?? "[]") as never;
  };

  test("makes a new secret sign, and the old one along with it for a day", async () => {
    const project = await makeProject();
    const first = await make(project);
    const second = await rotate(project, first.id);
    expect(second.secret).not.toBe(first.secret);
    expect(await secretsOf(project, first.id)).toEqual([
      { secret: second.secret, expires_at: null },
      { secret: first.secret, expires_at: NOW + 86_400_000 },
    ]);
  });

  test("ends the old one at once where that is wanted, and never lengthens the life of an older one", async () => {
    const project = await makeProject();
    const { id, secret } = await make(project);
    const second = await rotate(project, id, { expires_in_seconds: 60 });
    await rotate(project, id, { expires_in_seconds: 3_600 });
    const secrets = await secretsOf(project, id);
    expect(secrets.slice(1)).toEqual([
      { secret: second.secret, expires_at: NOW + 3_600_000 },
      { secret, expires_at: NOW + 60_000 },
    ]);
    await rotate(project, id, { expires_in_seconds: 0 });
    expect(await secretsOf(project, id)).toHaveLength(1);
  });

  test("needs no body, and takes none that is not valid", async () => {
    const project = await makeProject();
    const { id, secret } = await make(project);
    const target = `POST /v1/destinations/${id}/rotate`;
    expect((await json<Made>(project, target)).secret).not.toBe(secret);
    expect((await secretsOf(project, id))[1]).toEqual({ secret, expires_at: NOW + 86_400_000 });
    for (const body of [{ expires_in_seconds: -1 }, { expires_in_seconds: 700_000 }, { nonsense: 1 }, "x"])
      await json(project, target, { body, status: 400 });
  });

  test("keeps the newest secrets when there are many", async () => {
    const project = await makeProject();
    const { id } = await make(project);
    for (let count = 0; count < 7; count++) await rotate(project, id);
    expect(await secretsOf(project, id)).toHaveLength(5);
  });
});

/** Makes a notice and its delivery to a destination. @returns the delivery's id. */
async function notify(project: TestProject, destinationId: string, name = "n1"): Promise<string> {
  const body = JSON.stringify({ ...CROSSING, metric: "calls" });
  const notice = { id: name, kind: "threshold_crossed" as const, metric_id: "m", at: NOW, body };
  const id = `dlv_${project.id}_${name}`;
  const delivery = { id, destination_id: destinationId, notice_id: name };
  await env.DB.batch([
    insertNotices(env.DB, project.id, "acme", [notice]),
    insertDeliveries(env.DB, project.id, [delivery], NOW),
  ]);
  return id;
}

const CROSSING = {
  threshold_id: "thr_1",
  version: 1,
  name: null,
  operator: ">=",
  line: "80 %",
  value: "801",
  allowance: "1000",
  cycle: { start: "2031-11-01T00:00:00Z", end: "2031-12-01T00:00:00Z" },
};

describe("a test", () => {
  test("makes a delivery to that destination alone, and another one only some seconds later", async () => {
    const project = await makeProject();
    const [{ id }] = [await make(project, { wants: ["digest"] }), await make(project)];
    const { messages, bindings } = notedQueue();
    const send = (status: number) => json<Delivery>(project, `POST /v1/destinations/${id}/test`, { bindings, status });
    const delivery = await send(202);
    expect(delivery).toMatchObject({ destination_id: id, kind: "webhook_test", state: "waiting", attempts: 0 });
    const address = { project_id: project.id, destination_id: id, delivery_id: delivery.id };
    expect(messages).toEqual([{ kind: "deliver", ...address, attempts: 0 }]);
    const response = await call(project, `POST /v1/destinations/${id}/test`, { bindings });
    expect([response.status, response.headers.get("retry-after")]).toEqual([429, "5"]);
    expect(response.headers.get("ratelimit")).toBe('"destination-tests";r=0;t=5');
    expect(response.headers.get("ratelimit-policy")).toBe('"destination-tests";q=1;w=5');
    vi.setSystemTime(NOW + 5_000);
    expect((await send(202)).id).not.toBe(delivery.id);
    const { data } = await json<{ data: NoticeAnswer[] }>(project, "GET /v1/notices");
    expect(data).toHaveLength(2);
    expect(data[1]).toMatchObject({ kind: "webhook_test", destination: { id, name: "Billing" } });
  });

  test("is not made of a destination that is disabled, and is made while the queue is away", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const project = await makeProject();
    const { id } = await make(project);
    const send = () => Promise.reject(new Error("away"));
    const bindings = { NOTIFICATIONS: { send } as unknown as QueryEnv["NOTIFICATIONS"] };
    await json(project, `POST /v1/destinations/${id}/test`, { bindings, status: 202 });
    await json(project, `PATCH /v1/destinations/${id}`, { body: { enabled: false } });
    const problem = await json<ProblemBody>(project, `POST /v1/destinations/${id}/test`, { status: 409 });
    expect(problem.detail).toContain('{"enabled": true}');
  });
});

describe("deliveries", () => {
  test("are listed newest first, by destination and state, page by page", async () => {
    const project = await makeProject();
    const [{ id: one }, { id: two }] = [await make(project), await make(project)];
    await notify(project, one, "a");
    vi.setSystemTime(NOW + 1);
    const b = await notify(project, two, "b");
    await env.DB.prepare("UPDATE deliveries SET created_at = ?, state = 'failed' WHERE id = ?")
      .bind(NOW + 1, b)
      .run();
    const list = async (query: string) => {
      const { data, next_cursor } = await json<{ data: Delivery[]; next_cursor: string | null }>(
        project,
        `GET /v1/deliveries${query}`,
      );
      return { ids: data.map(({ notice_id }) => notice_id), next_cursor };
    };
    expect((await list("")).ids).toEqual(["b", "a"]);
    expect((await list(`?destination_id=${one}`)).ids).toEqual(["a"]);
    expect((await list("?state=failed")).ids).toEqual(["b"]);
    expect((await list("?state=delivered")).ids).toEqual([]);
    const first = await list("?limit=1");
    expect((await list(`?limit=1&cursor=${first.next_cursor ?? ""}`)).ids).toEqual(["a"]);
  });

  test("are shown one by one with what is posted", async () => {
    const project = await makeProject();
    const { id } = await make(project);
    const delivery = await json(project, `GET /v1/deliveries/${await notify(project, id)}`, { key: project.keys.read });
    expect(delivery).toMatchObject({
      state: "waiting",
      attempts: 0,
      next_attempt_at: "2031-11-20T12:00:00Z",
      last_attempt: null,
      error: null,
      event: { type: "aggregator.threshold_crossed", data: { id: "n1", customer_id: "acme", value: "801" } },
    });
  });

  test("are sent again with all their attempts, unless the destination is disabled", async () => {
    const project = await makeProject();
    const { id: destination } = await make(project);
    const id = await notify(project, destination);
    await env.DB.prepare("UPDATE deliveries SET state = 'failed', attempts = 10, ended_at = 1 WHERE id = ?")
      .bind(id)
      .run();
    const { messages, bindings } = notedQueue();
    const answer = await json(project, `POST /v1/deliveries/${id}/resend`, { bindings, status: 202 });
    expect(answer).toMatchObject({ id, state: "waiting", attempts: 0, ended_at: null });
    expect(messages).toMatchObject([{ kind: "deliver", delivery_id: id, attempts: 0 }]);
    await json(project, `PATCH /v1/destinations/${destination}`, { body: { enabled: false } });
    await json(project, `POST /v1/deliveries/${id}/resend`, { bindings, status: 409 });
  });
});

test("another project's destinations and deliveries answer exactly like missing ones", async () => {
  const [project, other] = [await makeProject(), await makeProject()];
  const { id } = await make(project);
  const delivery = await notify(project, id);
  const targets: readonly (readonly [string, string, object?])[] = [
    ["GET /v1/destinations/", ""],
    ["PATCH /v1/destinations/", "", { name: "x" }],
    ["PATCH /v1/destinations/", "", { url: "https://example.com/" }],
    ["DELETE /v1/destinations/", ""],
    ["POST /v1/destinations/", "/test"],
    ["POST /v1/destinations/", "/rotate", {}],
    ["GET /v1/deliveries/", ""],
    ["POST /v1/deliveries/", "/resend"],
  ];
  for (const [before, after, body] of targets) {
    const own = before.includes("deliveries") ? delivery : id;
    const ask = async (name: string) => {
      const options = body === undefined ? { status: 404 } : { body, status: 404 };
      const { request_id: _, ...problem } = await json<ProblemBody>(other, before + name + after, options);
      return problem;
    };
    expect(await ask(own), before + after).toEqual(await ask("none"));
  }
  expect(await json(other, "GET /v1/destinations")).toEqual({ data: [], next_cursor: null });
  expect(await json(other, "GET /v1/deliveries")).toEqual({ data: [], next_cursor: null });
  expect(await json(other, `GET /v1/deliveries?destination_id=${id}`)).toEqual({ data: [], next_cursor: null });
});
