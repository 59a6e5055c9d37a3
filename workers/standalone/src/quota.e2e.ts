import { type ChildProcess, spawn } from "node:child_process";
import { request } from "node:http";
import { join } from "node:path";
import { ApiClient, eventually } from "@tidemark/testing/api-client";
import { type Server, startServer } from "@tidemark/testing/server";
import { afterAll, beforeAll, expect, test } from "vitest";

const CLIENTS = 64;
const CONSUMES = 10_000;
const LIMIT = 1_000;
const EXAMPLE = join(import.meta.dirname, "../../../examples/metered-api.ts");

let server: Server;
let admin: ApiClient;

beforeAll(async () => {
  server = await startServer({ demo: false });
  admin = new ApiClient(server.url, server.keys.admin);
});
afterAll(async () => {
  await server.stop();
});

interface Decision {
  readonly allowed: boolean;
  readonly used: string;
  readonly remaining: string;
  readonly duplicate?: boolean;
}

async function limitOf(customer: string, metric: string, base: string, rest: object = {}): Promise<void> {
  await admin.post(`/v1/customers/${customer}/allowances`, { metric, base, ...rest });
}

const check = (customer_id: string, metric: string): Promise<Decision> =>
  admin.post("/v1/check", { customer_id, metric });

/** One consume on a connection of its own choosing; with `cut` the connection is gone before the answer is read. */
function consume(id: string, cut: boolean): Promise<Decision | "lost"> {
  const body = JSON.stringify({ customer_id: "hot", metric: "requests", id });
  return new Promise((resolve) => {
    const headers = {
      authorization: `Bearer ${server.keys.ingest}`,
      "content-type": "application/json",
      "content-length": String(new TextEncoder().encode(body).byteLength),
    };
    const sent = request(new URL("/v1/consume", server.url).href, { method: "POST", headers }, (response) => {
      if (cut) {
        sent.destroy();
        resolve("lost");
        return;
      }
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("end", () => resolve(response.statusCode === 200 ? (JSON.parse(text) as Decision) : "lost"));
    });
    sent.on("error", () => resolve("lost"));
    sent.end(body);
  });
}

test("64 clients, 10,000 consumes on a limit of 1,000, answers lost: exactly 1,000, and every retry the same", async () => {
  await admin.post("/v1/metrics", {
    name: "Requests",
    type: "limit_metered",
    aggregation: "count",
    event_matchers: [{ event: "request" }],
  });
  await limitOf("hot", "requests", String(LIMIT));
  const answers = new Map<string, Decision>();
  let lost = 0;
  let next = 0;
  const client = async (): Promise<void> => {
    for (let mine = next++; mine < CONSUMES; mine = next++) {
      const id = `consume-${mine}`;
      // Every tenth answer is lost, some of them twice; the client asks again with the same id.
      for (let attempt = 0; ; attempt++) {
        const answer = await consume(id, mine % 10 === 0 && attempt < 1 + (mine % 3));
        if (answer !== "lost") {
          answers.set(id, answer);
          break;
        }
        lost++;
      }
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  expect(answers.size).toBe(CONSUMES);
  expect(lost).toBeGreaterThanOrEqual(CONSUMES / 10);
  expect([...answers.values()].filter(({ allowed }) => allowed)).toHaveLength(LIMIT);
  expect(await check("hot", "requests")).toMatchObject({ allowed: false, used: String(LIMIT), remaining: "0" });

  const sample = [...answers].filter((_, index) => index % 7 === 0);
  for (const [id, first] of sample) expect(await consume(id, false)).toEqual({ ...first, duplicate: true });
  const numbers = [...answers.values()].filter(({ allowed }) => allowed).map(({ used }) => Number(used));
  expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: LIMIT }, (_, index) => index + 1));

  const usage = (): Promise<{ data: { value: string }[] }> =>
    admin.get("/v1/usage?metric=requests&customer_id=hot&grain=month");
  const total = ({ data }: { data: { value: string }[] }): number =>
    data.reduce((sum, { value }) => sum + Number(value), 0);
  expect(total(await eventually(usage, (answer) => total(answer) === LIMIT, 30_000))).toBe(LIMIT);
});

test("the example: an API with middleware, a hard limit and a lease", async () => {
  await admin.post("/v1/metrics", {
    name: "Searches",
    type: "limit_metered",
    aggregation: "count",
    event_matchers: [{ event: "search" }],
    group_by: ["endpoint", "status"],
  });
  await admin.post("/v1/metrics", {
    name: "Tiles",
    type: "limit_metered",
    aggregation: "count",
    event_matchers: [{ event: "tile" }],
  });
  await limitOf("acme", "searches", "5");
  await limitOf("acme", "tiles", "300");
  const port = 20_000 + Math.floor(Math.random() * 20_000);
  const example = await startExample(port);
  const get = (path: string): Promise<Response> =>
    fetch(`http://127.0.0.1:${port}${path}`, { headers: { "x-customer": "acme" } });
  try {
    const searches: number[] = [];
    for (let i = 0; i < 7; i++) searches.push((await get("/search")).status);
    expect(searches).toEqual([200, 200, 200, 200, 200, 429, 429]);
    const denied = await get("/search");
    expect(denied.headers.get("content-type")).toBe("application/problem+json");
    expect(denied.headers.get("ratelimit")).toMatch(/r=0/);

    const tiles: number[] = [];
    for (let i = 0; i < 320; i++) tiles.push((await get(`/tiles/1/2/${i}`)).status);
    expect(tiles.filter((status) => status === 200)).toHaveLength(300);
  } finally {
    const ended = new Promise((resolve) => example.once("exit", resolve));
    example.kill("SIGTERM");
    await ended;
  }
  expect(await check("acme", "searches")).toMatchObject({ used: "5", remaining: "0" });
  expect(await check("acme", "tiles")).toMatchObject({ used: "300", remaining: "0" });
  interface Usage {
    readonly data: readonly { readonly value: string; readonly group: Record<string, string> }[];
  }
  const usage = (): Promise<Usage> =>
    admin.get("/v1/usage?metric=searches&customer_id=acme&grain=month&group_by=endpoint,status");
  const isComplete = ({ data }: Usage): boolean =>
    data.some(({ value, group }) => value === "5" && group["endpoint"] === "/search" && group["status"] === "200");
  expect(isComplete(await eventually(usage, isComplete, 30_000))).toBe(true);
});

/** Runs the example as a user would, and waits until it answers. */
async function startExample(port: number): Promise<ChildProcess> {
  const child = spawn(process.execPath, [EXAMPLE], {
    env: { ...process.env, TIDEMARK_URL: server.url, TIDEMARK_KEY: server.keys.ingest, PORT: String(port) },
    stdio: ["ignore", "pipe", "inherit"],
  });
  await new Promise<void>((resolve, reject) => {
    child.stdout.on("data", (chunk: Buffer) => {
      if (chunk.toString().includes("ready")) resolve();
    });
    child.once("exit", (code) => {
      reject(new Error(`The example ended with ${code}.`));
    });
  });
  return child;
}
