import { env } from "cloudflare:workers";
import { DELIVERY_KEPT_MS } from "@tidemark/contract";
import { findDestination, updateDestination } from "@tidemark/db/destinations";
import { insertNotices } from "@tidemark/db/notices";
import { Webhook } from "standardwebhooks";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { answering, PostOffice, SECRET } from "../../test/post-office.ts";

const START = Date.UTC(2031, 10, 20, 12);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
let office: PostOffice;

beforeEach(async () => {
  office = await PostOffice.open(START);
});
afterEach(() => {
  office.close();
});

describe("a delivery", () => {
  test("is attempted ten times in some 75 hours, each time with the same id and body, and then fails", async () => {
    office.answer = answering(500);
    await office.destination("a");
    await office.tell(office.crossing("n"));
    await office.advance(4 * DAY);
    const waits = office.posted.slice(1).map(({ at }, index) => at - (office.posted[index]?.at ?? 0));
    const wanted = [5_000, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR];
    expect(waits).toEqual(wanted);
    expect(new Set(office.posted.map(({ headers, body }) => (headers["webhook-id"] ?? "") + body)).size).toBe(1);
    for (const { at, headers, body, redirect } of office.posted) {
      vi.setSystemTime(at);
      expect(() => new Webhook(SECRET).verify(body, headers)).not.toThrow();
      expect([redirect, headers["user-agent"]]).toEqual(["manual", "Tidemark-Webhooks/1"]);
    }
    expect(await office.deliveries()).toMatchObject([
      { state: "failed", attempts: 10, last_status: 500, last_error: "status", last_latency_ms: 0 },
    ]);
    expect(office.longestDelay).toBeLessThanOrEqual(43_200);
    expect(office.backlog).toEqual([]);
  });

  test.each([
    [200, null],
    [204, null],
    [299, null],
    [301, "redirect"],
    [307, "redirect"],
    [400, "status"],
    [404, "status"],
    [503, "status"],
  ])("that is answered %i has the error %j", async (code, error) => {
    office.answer = answering(code, { location: "https://elsewhere.acme.com/" });
    await office.destination("a");
    await office.tell(office.crossing("n"));
    await office.advance(1_000);
    expect(office.posted.map(({ url }) => url)).toEqual(["https://a.acme.com/"]);
    const state = error === null ? "delivered" : "waiting";
    expect(await office.deliveries()).toMatchObject([{ state, attempts: 1, last_status: code, last_error: error }]);
  });

  test.each([
    [new DOMException("", "TimeoutError"), "timeout"],
    [new TypeError("connection refused"), "unreachable"],
  ])("whose receiver does not answer (%s) waits", async (failure, error) => {
    office.answer = () => Promise.reject(failure);
    await office.destination("a");
    await office.tell(office.crossing("n"));
    await office.advance(1_000);
    expect(await office.deliveries()).toMatchObject([{ state: "waiting", last_status: null, last_error: error }]);
  });

  test("never reads what is answered", async () => {
    let cancelled = 0;
    const read = vi.fn<() => void>();
    office.answer = () =>
      new Response(new ReadableStream({ pull: read, cancel: () => void cancelled++ }, { highWaterMark: 0 }));
    await office.destination("a");
    await office.tell(office.crossing("n"));
    await office.advance(1_000);
    expect([cancelled, read.mock.calls.length, await office.states()]).toEqual([1, 0, ["delivered"]]);
  });

  test("is one, and attempted once, however often its messages come", async () => {
    await office.destination("a");
    await office.tell(office.crossing("n"));
    const message = { kind: "notify", project_id: office.project, notice_ids: ["n"] } as const;
    office.send(message);
    await office.advance(1_000);
    office.send(message);
    const [{ id } = { id: "" }] = await office.deliveries();
    const address = { project_id: office.project, destination_id: "a", delivery_id: id };
    for (const attempts of [0, 0, 1]) office.send({ kind: "deliver", ...address, attempts });
    await office.advance(1_000);
    expect(office.posted).toHaveLength(1);
    expect(await office.states()).toEqual(["delivered"]);
  });

  test("waits for one message alone: those of earlier attempts are dropped", async () => {
    office.answer = answering(500);
    await office.destination("a");
    await office.tell(office.crossing("n"));
    await office.advance(1_000);
    const [{ id } = { id: "" }] = await office.deliveries();
    const address = { project_id: office.project, destination_id: "a", delivery_id: id };
    for (let count = 0; count < 3; count++) office.send({ kind: "deliver", ...address, attempts: 0 });
    await office.advance(1_000);
    expect(office.backlog).toEqual([{ kind: "deliver", ...address, attempts: 1 }]);
  });

  test("whose attempt could not be noted is attempted again with the same id", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    let broken = true;
    const DB = new Proxy(env.DB, {
      get(db, name) {
        if (name === "batch" && broken) return () => Promise.reject(new Error("away"));
        const value: unknown = Reflect.get(db, name);
        return typeof value === "function" ? (value.bind(db) as unknown) : value;
      },
    });
    office.env = { ...office.env, DB };
    await office.destination("a");
    await office.tell(office.crossing("n"));
    await office.advance(500);
    broken = false;
    await office.advance(2_000);
    expect(office.posted.length).toBeGreaterThan(1);
    expect(new Set(office.posted.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
    expect(await office.states()).toEqual(["delivered"]);
  });

  test("waits for as long as the receiver asks, within a day", async () => {
    office.answer = answering(429, { "retry-after": "3600" });
    await office.destination("a");
    await office.tell(office.crossing("n"));
    await office.advance(HOUR - 1);
    office.answer = answering(503, { "retry-after": "9999999" });
    await office.advance(2 * DAY);
    expect(office.posted.map(({ at }) => at - START)).toEqual([0, HOUR, HOUR + DAY]);
  });

  test("is made for each destination that wants its kind, in the order of the notices", async () => {
    await office.destination("all");
    await office.destination("digests", { wants: ["digest"] });
    await office.destination("crossings", { wants: ["threshold_crossed"] });
    await office.tell(office.crossing("c"), office.digest("b"), office.crossing("a"));
    await office.advance(1_000);
    const made = (await office.deliveries()).map(({ destination_id, notice_id }) => [destination_id, notice_id]);
    expect(made).toEqual([
      ["all", "c"],
      ["crossings", "c"],
      ["all", "b"],
      ["digests", "b"],
      ["all", "a"],
      ["crossings", "a"],
    ]);
    const arrived = office.posted
      .filter(({ url }) => url.includes("//all."))
      .map(({ body }) => (JSON.parse(body) as { data: { id: string } }).data.id);
    expect(arrived).toEqual(["c", "b", "a"]);
  });

  test("of a slow receiver holds up nobody else's", async () => {
    let release = (): void => {};
    const held = new Promise<Response>((resolve) => {
      release = () => {
        resolve(new Response());
      };
    });
    office.answer = ({ url }) => {
      if (url.includes("//slow.")) return held;
      if (office.posted.filter((posted) => posted.url.includes("//fast.")).length === 2) release();
      return new Response();
    };
    for (const id of ["slow", "fast"]) await office.destination(id);
    await office.tell(office.crossing("a"), office.crossing("b"));
    await office.advance(1_000);
    expect(await office.states()).toEqual(Array.from({ length: 4 }, () => "delivered"));
  });
});

describe("a notice", () => {
  const notify = (id: string): void => {
    office.send({ kind: "notify", project_id: office.project, notice_ids: [id] });
  };

  test("that is told again long after does not go to who came, or was enabled, since", async () => {
    await office.destination("old");
    await office.destination("enabled");
    await office.tell(office.crossing("n"));
    await office.advance(DAY);
    await office.destination("new");
    await updateDestination(
      env.DB,
      { project_id: office.project, id: "enabled" },
      { enabled_at: office.now, updated_at: office.now },
    );
    await env.DB.prepare("DELETE FROM deliveries").run();
    notify("n");
    await office.advance(1_000);
    expect((await office.deliveries()).map(({ destination_id }) => destination_id)).toEqual(["old"]);
  });

  test("that is for a destination alone goes there, though that was enabled since", async () => {
    await insertNotices(env.DB, office.project, "", [office.digest("n")]).run();
    await env.DB.prepare("UPDATE notices SET destination_id = 'a'").run();
    await office.advance(DAY);
    await office.destination("a");
    notify("n");
    await office.advance(1_000);
    expect(await office.states()).toEqual(["delivered"]);
  });

  test("is told to nobody once its deliveries may be forgotten", async () => {
    await office.destination("a");
    await insertNotices(env.DB, office.project, "", [office.crossing("n")]).run();
    await office.advance(DELIVERY_KEPT_MS + 1);
    notify("n");
    await office.advance(1_000);
    expect(await office.states()).toEqual([]);
  });
});

test("what is too large to be sent fails at once, and says nothing of the receiver", async () => {
  await office.destination("a");
  await office.tell({ ...office.digest("n"), body: JSON.stringify({ text: "x".repeat(20_000) }) });
  await office.advance(1_000);
  expect(office.posted).toEqual([]);
  expect(await office.deliveries()).toMatchObject([{ state: "failed", last_error: "too_large", attempts: 1 }]);
  const { failing_since } = (await findDestination(env.DB, { project_id: office.project, id: "a" })) ?? {};
  expect(failing_since).toBeNull();
});

describe("before each attempt the address is checked", () => {
  test.each([
    "https://127.0.0.1/",
    "https://2130706433/",
    "http://a.acme.com/",
    "https://a.internal/",
    "https://a.acme.com:8443/",
    "nonsense",
  ])("and nothing is sent to %s, however it came into the database", async (url) => {
    await office.destination("a", { url });
    await office.tell(office.crossing("n"));
    await office.advance(1_000);
    expect(office.posted).toEqual([]);
    expect(await office.deliveries()).toMatchObject([{ state: "waiting", last_error: "refused_address" }]);
  });

  test("and one that was sealed under another pepper, or for another destination, opens nothing", async () => {
    await office.destination("a", { pepper: "other" });
    await office.destination("b");
    await office.destination("c");
    await env.DB.prepare(
      "UPDATE destinations SET url = (SELECT url FROM destinations WHERE id = 'c') WHERE id = 'b'",
    ).run();
    await office.tell(office.crossing("n"));
    await office.advance(1_000);
    expect(office.posted.map(({ url }) => url)).toEqual(["https://c.acme.com/"]);
    const errors = (await office.deliveries()).map(({ last_error }) => last_error);
    expect(errors).toEqual(["unreadable_address", "unreadable_address", null]);
  });

  test("and an origin for development is none where it is not named", async () => {
    await office.destination("a", { url: "http://127.0.0.1:9999/hook" });
    await office.tell(office.crossing("n"));
    office.env = { ...office.env, WEBHOOK_ORIGINS: "http://127.0.0.1:1 http://127.0.0.1:9999" };
    await office.advance(1_000);
    office.env = { ...office.env, WEBHOOK_ORIGINS: "" };
    await office.tell(office.crossing("m"));
    await office.advance(1_000);
    expect(office.posted).toHaveLength(1);
  });
});
