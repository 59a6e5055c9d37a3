import { env } from "cloudflare:workers";
import {
  BATCH_EVENTS_MAX,
  BODY_BYTES_MAX,
  EVENT_BYTES_MAX,
  type EventMessage,
  MESSAGE_BYTES_MAX,
  type ProblemBody,
  type Rejection,
} from "@tidemark/contract";
import { createExecutionContext } from "cloudflare:test";
import { createKey, createTenant, type Tenant } from "@tidemark/testing/tenant";
import { afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { fetch } from "./app.ts";
import type { IngestEnv } from "./env.ts";

const NOW = Date.UTC(2026, 10, 21, 12);
const EVENT = {
  id: "1",
  event: "call",
  customer_id: "acme",
  timestamp: "2026-11-21T11:00:00Z",
  properties: { status: 200 },
};

let tenant: Tenant;
let sent: string[];
let queueFails = false;
let databaseReads = 0;

/** The real bindings, with the queue's messages kept and the database's reads counted. */
function bindings(): IngestEnv {
  return {
    KEY_PEPPER: env.KEY_PEPPER,
    METERS: env.METERS,
    DB: new Proxy(env.DB, {
      get(target, name: keyof D1Database) {
        if (name === "prepare") databaseReads++;
        const value = target[name];
        return typeof value === "function" ? value.bind(target) : value;
      },
    }),
    EVENTS: {
      metrics: () => env.EVENTS.metrics(),
      send: async (body) => {
        if (queueFails) throw new Error("Too Many Requests");
        sent.push(body);
        return env.EVENTS.send(body, { contentType: "text" });
      },
      sendBatch: async (requests) => {
        if (queueFails) throw new Error("Too Many Requests");
        const batch = [...requests];
        sent.push(...batch.map((message) => message.body));
        return env.EVENTS.sendBatch(batch);
      },
    },
  };
}

beforeAll(async () => {
  tenant = await createTenant(env, "p1");
});
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
  sent = [];
  queueFails = false;
});
afterEach(() => {
  vi.useRealTimers();
});

function ask(path: string, init: RequestInit, bound = bindings()): Promise<Response> {
  return fetch(new Request(new URL(path, "https://tidemark.example"), init), bound, createExecutionContext());
}

interface Accepted {
  readonly accepted: number;
  readonly rejected: readonly Rejection[];
  readonly ids?: readonly (string | null)[];
  readonly request_id: string;
}

async function post(
  body: BodyInit,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: Accepted & ProblemBody; headers: Headers }> {
  const response = await ask("/v1/events", {
    method: "POST",
    body,
    headers: { authorization: `Bearer ${tenant.keys.ingest}`, "content-type": "application/json", ...headers },
  });
  return { status: response.status, body: await response.json(), headers: response.headers };
}

function messages(): EventMessage[] {
  return sent.map((text) => JSON.parse(text) as EventMessage);
}

async function gzip(body: BodyInit): Promise<ArrayBuffer> {
  const stream = new Response(body).body?.pipeThrough(new CompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

test("one event is accepted and reaches the queue as it came", async () => {
  const { status, body, headers } = await post(JSON.stringify(EVENT));
  expect(status).toBe(202);
  expect(body).toEqual({ accepted: 1, rejected: [], request_id: headers.get("x-request-id") });
  expect(messages()).toEqual([{ v: 1, project_id: "p1", received_at: NOW, events: [EVENT] }]);
});

test("an event without id or time gets an id, which the answer tells, and the time of receipt", async () => {
  const { status, body } = await post(
    JSON.stringify([{ event: "call", customer_id: "acme" }, EVENT, { event: "call" }]),
  );
  expect(status).toBe(202);
  expect(body.ids).toEqual([expect.stringMatching(/^evt_[0-9a-f-]{36}$/), "1", null]);
  const [message] = messages();
  expect(message?.received_at).toBe(NOW);
  expect(message?.events).toEqual([{ event: "call", customer_id: "acme", id: body.ids?.[0] }, EVENT]);
});

test("each item of a batch gets its own verdict", async () => {
  const { status, body } = await post(JSON.stringify([EVENT, { ...EVENT, customer_id: "" }, 7, { ...EVENT, id: "2" }]));
  expect(status).toBe(202);
  expect(body.accepted).toBe(2);
  expect(body.rejected).toEqual([
    {
      index: 1,
      id: "1",
      code: "invalid_customer_id",
      pointer: "/1/customer_id",
      detail: "customer_id is empty.",
    },
    { index: 2, id: null, code: "not_an_object", pointer: "/2", detail: "An event is a JSON object." },
  ]);
  expect(messages()[0]?.events.map((event) => event.id)).toEqual(["1", "2"]);
});

test("NDJSON is read line by line, and a line that is not JSON is one refusal", async () => {
  const { status, body } = await post(
    `${JSON.stringify(EVENT)}\n{"event":\n\n${JSON.stringify({ ...EVENT, id: "2" })}\n`,
    { "content-type": "application/x-ndjson" },
  );
  expect(status).toBe(202);
  expect(body).toMatchObject({ accepted: 2, rejected: [{ index: 1, code: "malformed_line", pointer: "/1" }] });
});

test("CloudEvents are events whose source and id together make the id", async () => {
  const cloudEvent = {
    specversion: "1.0",
    id: "7",
    source: "/gateway#1",
    type: "call",
    subject: "acme",
    time: "2026-11-21T11:00:00Z",
    data: { status: 200 },
  };
  const one = await post(JSON.stringify(cloudEvent), { "content-type": "application/cloudevents+json; charset=utf-8" });
  expect(one.status).toBe(202);
  const batch = await post(JSON.stringify([cloudEvent, { ...cloudEvent, subject: undefined }]), {
    "content-type": "application/cloudevents-batch+json",
  });
  expect(batch.body).toMatchObject({
    accepted: 1,
    rejected: [{ index: 1, code: "invalid_cloudevent", pointer: "/1/subject" }],
  });
  const event = {
    id: "%2Fgateway%231#7",
    event: "call",
    customer_id: "acme",
    timestamp: "2026-11-21T11:00:00Z",
    properties: { status: 200 },
  };
  expect(messages().flatMap((message) => message.events)).toEqual([event, event]);
  expect((await post(JSON.stringify([cloudEvent]), { "content-type": "application/cloudevents+json" })).status).toBe(
    400,
  );
});

test("a large batch is packed into messages of at most 64,000 bytes, and every event is in one of them", async () => {
  const events = Array.from({ length: 2_000 }, (_, i) => ({
    ...EVENT,
    id: `é-${i}`,
    properties: { text: "ü".repeat(i % 50) },
  }));
  const { body } = await post(JSON.stringify(events));
  expect(body.accepted).toBe(2_000);
  for (const text of sent) expect(new TextEncoder().encode(text).byteLength).toBeLessThanOrEqual(MESSAGE_BYTES_MAX);
  expect(messages().flatMap((message) => message.events)).toEqual(events);
});

test("escaped text that grows in UTF-8 still fits the message", async () => {
  const text = `[${Array.from({ length: 900 }, (_, i) => `{"id":"${i}","event":"call","customer_id":"a","properties":{"t":"${"\\u4e2d".repeat(20)}"}}`).join(",")}]`;
  expect((await post(text)).body.accepted).toBe(900);
  for (const message of sent)
    expect(new TextEncoder().encode(message).byteLength).toBeLessThanOrEqual(MESSAGE_BYTES_MAX);
});

test("a gzip body is inflated, and the cap counts what comes out", async () => {
  expect((await post(await gzip(JSON.stringify([EVENT])), { "content-encoding": "gzip" })).body.accepted).toBe(1);
  const bomb = await gzip(" ".repeat(BODY_BYTES_MAX + 1));
  expect(bomb.byteLength).toBeLessThan(10_000);
  expect((await post(bomb, { "content-encoding": "gzip" })).body).toMatchObject({ status: 413, code: "too_large" });
});

test.each([
  ["gzip that is not gzip", "{}", { "content-encoding": "gzip" }, 400, "malformed_body"],
  ["an encoding we do not have", "{}", { "content-encoding": "br" }, 415, "unsupported_encoding"],
  ["gzip within gzip", "{}", { "content-encoding": "gzip, gzip" }, 415, "unsupported_encoding"],
  ["a form", "a=b", { "content-type": "application/x-www-form-urlencoded" }, 415, "unsupported_media_type"],
  ["nothing", "", {}, 400, "malformed_body"],
  ["half a JSON", '{"event":', {}, 400, "malformed_body"],
  ["a number", "7", {}, 400, "malformed_body"],
  ["no lines", "\n\n", { "content-type": "application/x-ndjson" }, 400, "malformed_body"],
  ["a body over the cap", " ".repeat(BODY_BYTES_MAX + 1), {}, 413, "too_large"],
  ["too many events", `[${"0,".repeat(BATCH_EVENTS_MAX)}0]`, {}, 413, "too_large"],
  ["events that are all bad", "[1,2]", {}, 422, "no_valid_event"],
  [
    "JSON 5,000 deep",
    JSON.stringify(EVENT).replace("200", `${"[".repeat(5_000)}${"]".repeat(5_000)}`),
    {},
    422,
    "no_valid_event",
  ],
  ["an id of a megabyte", JSON.stringify({ ...EVENT, id: "x".repeat(1_000_000) }), {}, 422, "no_valid_event"],
  ["a lone surrogate", JSON.stringify(EVENT).replace("acme", "\\ud800"), {}, 422, "no_valid_event"],
  ["a prototype key", JSON.stringify(EVENT).replace('"id"', '"__proto__"'), {}, 422, "no_valid_event"],
] as const)("%s is refused with a problem that says what to do", async (_name, body, headers, status, code) => {
  const answer = await post(body, headers);
  expect([answer.status, answer.body.code]).toEqual([status, code]);
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  expect(answer.body.type).toBe(`https://tidemark.example/docs/errors/${code}`);
  expect(answer.body.detail.length).toBeGreaterThan(10);
  expect(answer.body.request_id).toBe(answer.headers.get("x-request-id"));
  expect(sent).toEqual([]);
});

test("a body that is not UTF-8 is refused, not repaired", async () => {
  expect((await post(new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d]))).body.code).toBe("malformed_body");
});

test("a chunked body without a length is capped while it is read", async () => {
  let pulled = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulled++;
      controller.enqueue(new Uint8Array(100_000).fill(0x20));
    },
  });
  expect((await post(endless)).status).toBe(413);
  expect(pulled).toBeLessThan(60);
});

test("of repeated keys the last one counts, at the edge and in the queue alike", async () => {
  await post('{"id":"a","id":"b","event":"call","customer_id":"acme","customer_id":"other"}');
  expect(messages()[0]?.events).toEqual([{ id: "b", event: "call", customer_id: "other" }]);
});

test("hostile text is data: it passes unchanged", async () => {
  const properties = {
    sql: "'; DROP TABLE usage_days; --",
    html: "<script>alert(1)</script>",
    formula: '=HYPERLINK("x")',
    constructor: { prototype: 1 },
  };
  expect((await post(JSON.stringify({ ...EVENT, customer_id: "=1+1' --<b>", properties }))).status).toBe(202);
  expect(messages()[0]?.events[0]).toMatchObject({ customer_id: "=1+1' --<b>", properties });
});

test("numbers that a double would round reach the queue as they were written", async () => {
  await post(
    '[{"id":"1","event":"call","customer_id":"a","properties":{"n":12345678901234567890}},{"event":"call","customer_id":"a","properties":{"n":0.12345678901234567890}}]',
  );
  expect(messages()[0]?.events.map((event) => event.properties)).toEqual([
    { n: "12345678901234567890" },
    { n: "0.12345678901234567890" },
  ]);
});

test("an event larger than a message is refused by name, and the others are taken", async () => {
  const { body } = await post(
    JSON.stringify([EVENT, { ...EVENT, id: "big", properties: { text: "x".repeat(EVENT_BYTES_MAX) } }]),
  );
  expect(body).toMatchObject({
    accepted: 1,
    rejected: [{ index: 1, id: "big", code: "event_too_large", pointer: "/1" }],
  });
});

test.each([
  [-35 * 86_400_000, 202],
  [-35 * 86_400_000 - 1, 422],
  [5 * 60_000, 202],
  [5 * 60_000 + 1, 422],
])("an event %i ms away from now is answered %i", async (offset, status) => {
  const answer = await post(JSON.stringify({ ...EVENT, timestamp: NOW + offset }));
  expect(answer.status).toBe(status);
  if (status === 422)
    expect(answer.body.errors?.[0]).toMatchObject({
      pointer: "/timestamp",
      code: offset < 0 ? "event_too_old" : "event_in_future",
    });
});

test("when the queue does not take the events nothing is acknowledged", async () => {
  queueFails = true;
  const { status, body, headers } = await post(JSON.stringify(EVENT));
  expect([status, body.code, headers.get("retry-after")]).toEqual([503, "unavailable", "2"]);
});

test("garbage is refused without a database read", async () => {
  databaseReads = 0;
  const lookalike = `${tenant.keys.ingest.slice(0, -1)}${tenant.keys.ingest.endsWith("0") ? "1" : "0"}`;
  for (const authorization of [
    "",
    "Bearer",
    "Bearer x",
    "Basic abc",
    `Bearer ${lookalike}`,
    `bearer ${lookalike} `,
    `Bearer ${tenant.keys.ingest} x`,
  ]) {
    expect((await post(JSON.stringify(EVENT), { authorization })).status).toBe(401);
  }
  expect(databaseReads).toBe(0);
});

test("a key that was made elsewhere or lacks the scope is refused", async () => {
  const foreign = await createKey({ ...env, KEY_PEPPER: "another" }, "p1", "ingest");
  expect((await post(JSON.stringify(EVENT), { authorization: `Bearer ${foreign}` })).body.code).toBe("invalid_key");
  expect((await post(JSON.stringify(EVENT), { authorization: `Bearer ${tenant.keys.read}` })).body).toMatchObject({
    status: 403,
    code: "missing_scope",
  });
  expect((await post(JSON.stringify(EVENT), { authorization: `Bearer ${tenant.keys.admin}` })).status).toBe(202);
});

test("a revoked key stops within ten seconds, and only its hash is stored", async () => {
  const key = await createKey(env, "p1", "ingest");
  const authorization = `Bearer ${key}`;
  expect((await post(JSON.stringify(EVENT), { authorization })).status).toBe(202);
  await env.DB.prepare("UPDATE api_keys SET revoked_at = 1 WHERE id = ?").bind(key.split("_")[2]).run();
  vi.setSystemTime(NOW + 10_000);
  expect((await post(JSON.stringify(EVENT), { authorization })).status).toBe(401);
  const { results } = await env.DB.prepare("SELECT * FROM api_keys").all();
  expect(JSON.stringify(results)).not.toContain(key.slice(-38));
});

test("a known key goes on taking events for ten minutes while the database is away", async () => {
  const broken = {
    ...bindings(),
    DB: {
      prepare: () => {
        throw new Error("D1 is away");
      },
    } as unknown as D1Database,
  };
  const statusOf = async (key: string): Promise<number> => {
    const headers = { authorization: `Bearer ${key}` };
    return (await ask("/v1/events", { method: "POST", body: JSON.stringify(EVENT), headers }, broken)).status;
  };
  await post(JSON.stringify(EVENT));
  vi.setSystemTime(NOW + 9 * 60_000);
  expect(await statusOf(tenant.keys.ingest)).toBe(202);
  expect(await statusOf(await createKey(env, "p1", "ingest"))).toBe(503);
  vi.setSystemTime(NOW + 11 * 60_000);
  expect(await statusOf(tenant.keys.ingest)).toBe(503);
});

test("other methods and paths are told apart", async () => {
  const wrong = await ask("/v1/events", { method: "DELETE" });
  expect([wrong.status, wrong.headers.get("allow")]).toEqual([405, "POST"]);
  expect((await ask("/v1/nothing", {})).status).toBe(404);
});
