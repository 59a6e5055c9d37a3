import { createServer, type IncomingMessage, type Server as HttpServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { ApiClient, eventually } from "@tidemark/testing/api-client";
import { type Server, startServer } from "@tidemark/testing/server";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

/** A receiver is given 15 seconds. */
const TOO_SLOW_MS = 16_000;

interface Arrived {
  readonly at: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What each path of the receiver was sent, and how it answers by how often it was asked. */
const arrived = new Map<string, Arrived[]>();
const answers: Readonly<Record<string, (response: ServerResponse, attempt: number) => void>> = {
  "/drops": (response, attempt) => (attempt === 1 ? response.destroy() : response.end()),
  "/slow": (response, attempt) => setTimeout(() => response.end(), attempt === 1 ? TOO_SLOW_MS : 0),
  "/fails": (response, attempt) => response.writeHead(attempt === 1 ? 500 : 200).end("a secret of the receiver"),
  "/redirects": (response, attempt) => {
    if (attempt === 1) response.writeHead(307, { location: `http://127.0.0.1:${portOf(canary)}/redirected` });
    response.end();
  },
  "/gone": (response) => response.writeHead(410).end(),
};

let receiver: HttpServer;
/** Listens where nothing must ever arrive. */
let canary: HttpServer;
let canaryHits = 0;
let server: Server;
let admin: ApiClient;

beforeAll(async () => {
  receiver = await listen((request, response) => {
    const path = request.url ?? "";
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
    request.on("end", () => {
      const all = arrived.get(path) ?? [];
      arrived.set(path, all);
      all.push({ at: Date.now(), headers: request.headers as Record<string, string>, body });
      const answer = answers[path];
      if (answer === undefined) response.end("ok");
      else answer(response, all.length);
    });
  });
  canary = await listen((_, response) => {
    canaryHits++;
    response.end();
  });
  server = await startServer({ demo: false, env: { TIDEMARK_WEBHOOK_ORIGINS: originOf(receiver) } });
  admin = new ApiClient(server.url, server.keys.admin);
  await admin.post("/v1/metrics", {
    name: "Calls",
    type: "limit_metered",
    aggregation: "sum",
    value_property: "n",
    event_matchers: [{ event: "call" }],
  });
});
afterAll(async () => {
  await server.stop();
  for (const each of [receiver, canary]) each.close().closeAllConnections();
});

async function listen(handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<HttpServer> {
  const made = createServer(handle);
  await new Promise<void>((resolve) => made.listen(0, "127.0.0.1", resolve));
  return made;
}

function portOf(made: HttpServer): number {
  return (made.address() as AddressInfo).port;
}

function originOf(made: HttpServer): string {
  return `http://127.0.0.1:${portOf(made)}`;
}

interface Made {
  readonly id: string;
  readonly secret: string;
}

function destination(path: string, rest: object = {}): Promise<Made> {
  return admin.post("/v1/destinations", { kind: "webhook", name: path, url: originOf(receiver) + path, ...rest });
}

interface Delivery {
  readonly id: string;
  readonly kind: string;
  readonly state: string;
  readonly attempts: number;
  readonly error: string | null;
}

async function deliveriesTo({ id }: Made, query = ""): Promise<readonly Delivery[]> {
  return (await admin.get<{ data: Delivery[] }>(`/v1/deliveries?destination_id=${id}&limit=500${query}`)).data;
}

/** Waits until all that was sent to a destination is over. */
function settled(made: Made, timeoutMs = 60_000): Promise<readonly Delivery[]> {
  const isOver = (all: readonly Delivery[]): boolean => all.length > 0 && all.every(({ state }) => state !== "waiting");
  return eventually(() => deliveriesTo(made), isOver, timeoutMs);
}

/** What arrived at a path, each verified by the secret. */
function verified(path: string, { secret }: Made): readonly { readonly id: string; readonly body: string }[] {
  return (arrived.get(path) ?? []).map(({ headers, body }) => {
    new Webhook(secret).verify(body, headers);
    return { id: headers["webhook-id"] ?? "", body };
  });
}

async function allow(customer: string): Promise<void> {
  await admin.post(`/v1/customers/${customer}/allowances`, { metric: "calls", base: "1000" });
}

async function remove(target: string): Promise<void> {
  const headers = { authorization: `Bearer ${server.keys.admin}` };
  const response = await fetch(new URL(target, server.url), { method: "DELETE", headers });
  expect(response.status).toBe(204);
}

test("receivers that drop, dawdle, fail or redirect get every notice with one id and body; one that is gone is disabled", async () => {
  const paths = ["/works", "/drops", "/slow", "/fails", "/redirects", "/gone"] as const;
  const made = new Map<string, Made>();
  for (const path of paths) made.set(path, await destination(path));
  await allow("acme");
  const threshold = await admin.post<{ id: string }>("/v1/thresholds", { metric: "calls", value: 800, name: "Nearly" });
  await admin.post("/v1/consume", { customer_id: "acme", metric: "calls", amount: 801 });

  const told = await settled(made.get("/gone") ?? { id: "", secret: "" });
  expect(told).toMatchObject([{ kind: "threshold_crossed", state: "failed", error: "gone", attempts: 1 }]);
  for (const path of paths.filter((each) => each !== "/gone")) {
    const to = made.get(path) ?? { id: "", secret: "" };
    const deliveries = await eventually(
      () => settled(to),
      (all) => all.length === 2,
      60_000,
    );
    expect(deliveries.map(({ kind, state }) => `${kind} ${state}`).toSorted(), path).toEqual([
      "destination_disabled delivered",
      "threshold_crossed delivered",
    ]);
    const messages = verified(path, to);
    const crossings = messages.filter(({ body }) => body.includes("threshold_crossed"));
    expect(new Set(messages.map(({ id }) => id)).size, path).toBe(2);
    expect(new Set(crossings.map(({ id, body }) => id + body)).size, path).toBe(1);
    expect(messages.length, path).toBe(path === "/works" ? 2 : 3);
  }
  const [first] = verified("/works", made.get("/works") ?? { id: "", secret: "" });
  expect(JSON.parse(first?.body ?? "{}")).toMatchObject({
    type: "aggregator.threshold_crossed",
    data: {
      threshold: { id: threshold.id, name: "Nearly", operator: ">=", line: "800" },
      metric: "calls",
      customer_id: "acme",
      value: "801",
      allowance: "1000",
    },
  });
  expect(await admin.get(`/v1/destinations/${made.get("/gone")?.id ?? ""}`)).toMatchObject({
    enabled: false,
    disabled_reason: "gone",
  });
  const slow = arrived.get("/slow") ?? [];
  expect((slow[1]?.at ?? 0) - (slow[0]?.at ?? 0)).toBeGreaterThan(15_000);
  expect(canaryHits).toBe(0);
  expect(server.output()).not.toContain("a secret of the receiver");
  await remove(`/v1/thresholds/${threshold.id}`);
  for (const { id } of made.values()) await remove(`/v1/destinations/${id}`);
});

test("no spelling of a private address is let through, and nothing arrives there", async () => {
  const port = portOf(canary);
  const hosts = [
    ["127.0.0.1", "127.1", "2130706433", "0x7f.1", "0x7f000001", "017700000001", "0177.0.0.1", "127.0.0.1."],
    ["[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::]", "0.0.0.0", "0", "localhost", "localhost.", "LOCALHOST"],
    ["１２７.0.0.1", "127。0。0。1", "%31%32%37.0.0.1", "foo.localhost", "localtest.me", "127.0.0.1.nip.io"],
  ].flat();
  const schemes = ["https", "http"];
  const urls = hosts.flatMap((host) =>
    schemes.flatMap((scheme) => [
      `${scheme}://${host}:${port}/`,
      `${scheme}://${host}/`,
      `${scheme}://me@${host}:${port}/`,
    ]),
  );
  const own = new URL(server.url);
  urls.push(server.url, `https://127.0.0.1:${own.port}/`, `${originOf(receiver).replace("http", "https")}/`);
  for (const kind of ["webhook", "slack"]) {
    for (const url of urls) {
      const response = await fetch(new URL("/v1/destinations", server.url), {
        method: "POST",
        headers: { authorization: `Bearer ${server.keys.admin}`, "content-type": "application/json" },
        body: JSON.stringify({ kind, name: "Canary", url }),
      });
      expect([url, response.status]).toEqual([url, 400]);
    }
  }
  expect(canaryHits).toBe(0);
});

test("a new secret verifies at once, and the old one along with it", async () => {
  const made = await destination("/rotated");
  const next = await admin.post<Made>(`/v1/destinations/${made.id}/rotate`, {});
  const sent = await admin.post<Delivery>(`/v1/destinations/${made.id}/test`, {});
  expect(await settled(made)).toMatchObject([{ id: sent.id, kind: "webhook_test", state: "delivered" }]);
  expect(verified("/rotated", made)).toEqual(verified("/rotated", next));
  expect(JSON.parse(verified("/rotated", next)[0]?.body ?? "{}")).toMatchObject({ type: "webhook.test" });

  await admin.post(`/v1/deliveries/${sent.id}/resend`, {});
  await eventually(
    async () => verified("/rotated", next),
    (all) => all.length === 2,
    20_000,
  );
  const [first, again] = verified("/rotated", next);
  expect(again).toEqual(first);
  await remove(`/v1/destinations/${made.id}`);
});

describe("a channel of Slack", () => {
  const CUSTOMERS = 50;
  const THRESHOLDS = 20;

  test("gets 1,000 crossings in at most 20 posts a minute, and none is lost", async () => {
    const made = await destination("/slack", { kind: "slack" });
    for (let value = 1; value <= THRESHOLDS; value++) await admin.post("/v1/thresholds", { metric: "calls", value });
    const customers = Array.from({ length: CUSTOMERS }, (_, index) => `<!channel> ${index}`);
    for (const customer of customers) await allow(encodeURIComponent(customer));
    for (const customer_id of customers)
      await admin.post("/v1/consume", { customer_id, metric: "calls", amount: THRESHOLDS });
    const posts = (): readonly Arrived[] => arrived.get("/slack") ?? [];
    const counted = (): number =>
      posts().reduce((sum, { body }) => sum + Number(/"text":"(\d+) thresholds/.exec(body)?.[1] ?? 1), 0);
    await eventually(
      async () => counted(),
      (count) => count >= CUSTOMERS * THRESHOLDS,
      120_000,
    );

    expect(counted()).toBe(CUSTOMERS * THRESHOLDS);
    for (const { at } of posts())
      expect(posts().filter((other) => other.at >= at && other.at < at + 60_000).length).toBeLessThanOrEqual(20);
    for (const { body } of posts()) {
      expect(new TextEncoder().encode(body).byteLength).toBeLessThan(12_000);
      expect(body).not.toContain("<!channel>");
    }
    const waiting = await eventually(
      () => deliveriesTo(made, "&state=waiting"),
      (all) => all.length === 0,
      20_000,
    );
    expect(waiting).toEqual([]);
    const counts = await Promise.all(["delivered", "failed"].map((state) => countAll(made, state)));
    expect(counts).toEqual([CUSTOMERS * THRESHOLDS, 0]);
  });

  async function countAll({ id }: Made, state: string): Promise<number> {
    let count = 0;
    let cursor: string | null = "";
    while (cursor !== null) {
      const after: string = cursor === "" ? "" : `&cursor=${cursor}`;
      const page: { data: unknown[]; next_cursor: string | null } = await admin.get(
        `/v1/deliveries?destination_id=${id}&state=${state}&limit=500${after}`,
      );
      count += page.data.length;
      cursor = page.next_cursor;
    }
    return count;
  }
});
