import { createServer, type IncomingHttpHeaders, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { ApiClient, eventually } from "@tidemark/testing/api-client";
import { findAccessibilityFaults, openBrowser } from "@tidemark/testing/browser";
import { type Server, startServer } from "@tidemark/testing/server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

type Browser = Awaited<ReturnType<typeof openBrowser>>;

const DAY_MS = 86_400_000;
const CUSTOMERS = 22;
const GUESSES = 10_000;
/** What a first view may weigh, compressed, with everything that it loads. */
const VIEW_BYTES_MAX = 50_000;

let server: Server;
let admin: ApiClient;
let browser: Browser;
/** The link of each publication. */
const links = new Map<string, string>();

const REPORTS = [
  "top-customers",
  "growing",
  "dropping",
  "dormant",
  "near-limit",
  "heavy-labels",
  "hour-of-day",
  "error-rate",
];
const QUERIES = {
  "by day": { group_by: ["day"], range: { days: 30 } },
  "by customer": { group_by: ["customer"], measures: ["value", "active_days"], compare: "previous_period", limit: 20 },
};
const PAGES = [...REPORTS, ...Object.keys(QUERIES)];

beforeAll(async () => {
  [server, browser] = await Promise.all([startServer({ demo: false }), openBrowser()]);
  admin = new ApiClient(server.url, server.keys.admin);
  await admin.post("/v1/metrics", {
    name: "API requests",
    unit: "requests",
    type: "limit_metered",
    aggregation: "count",
    event_matchers: [{ event: "api_request" }],
    group_by: ["endpoint", "status"],
  });
  for (let i = 0; i < CUSTOMERS; i++) {
    if (i % 2 === 0) await admin.post(`/v1/customers/${nameOf(i)}/allowances`, { metric: "api_requests", base: "10" });
    const events = makeEvents(i);
    for (let at = 0; at < events.length; at += 1_000) await admin.post("/v1/events", events.slice(at, at + 1_000));
  }
  const isCounted = ({ data }: { data: readonly unknown[] }): boolean => data.length >= CUSTOMERS;
  const ranking = "/v1/reports/top-customers?metric=api_requests&days=34&limit=100";
  const counted = await eventually(() => admin.get<{ data: readonly unknown[] }>(ranking), isCounted, 120_000);
  expect(counted.data).toHaveLength(CUSTOMERS);
  const near = () => admin.get<{ data: readonly unknown[] }>("/v1/reports/near-limit?metric=api_requests");
  expect((await eventually(near, ({ data }) => data.length > 2, 30_000)).data.length).toBeGreaterThan(2);
  for (const report of REPORTS) await publish(report, { report, params: { metric: "api_requests", limit: 20 } });
  for (const [name, query] of Object.entries(QUERIES)) {
    await publish(name, { query: { metric: "api_requests", ...query } });
  }
});
afterAll(async () => {
  await browser.close();
  await server.stop();
});

function nameOf(i: number): string {
  return `customer_${String(i).padStart(2, "0")}`;
}

/** Some grow, some drop, some fall silent, some come near their limit; each has hours of its own, and a few errors. */
function makeEvents(i: number): readonly object[] {
  // Of this cycle, which begins with the allowance.
  const events: object[] = Array.from({ length: i % 5 === 4 ? 0 : 7 + (i % 4) }, (_, n) => ({
    id: `${i}-now-${n}`,
    event: "api_request",
    customer_id: nameOf(i),
    properties: { endpoint: "/v1/chat", status: "200" },
  }));
  const now = Date.now();
  for (let day = i % 5 === 4 ? 9 : 0; day < 34; day++) {
    const wave = i % 5 === 1 ? 34 - day : i % 5 === 2 ? day / 3 : 8;
    for (let n = 0; n < 1 + Math.floor((wave * (CUSTOMERS - i)) / 40); n++) {
      const timestamp = now - day * DAY_MS - ((i * 3 + (n % 4)) % 20) * 3_600_000 - n * 1_000;
      if (now - timestamp > 34.5 * DAY_MS) continue;
      const status = (n + i) % 9 === 0 ? "500" : (n + day) % 11 === 0 ? "404" : "200";
      const properties = { endpoint: ["/v1/chat", "/v1/embed", "/v1/images"][(n + day) % 3], status };
      events.push({
        id: `${i}-${day}-${n}`,
        event: "api_request",
        customer_id: nameOf(i),
        timestamp: new Date(timestamp).toISOString(),
        properties,
      });
    }
  }
  return events;
}

async function publish(name: string, body: object): Promise<{ readonly id: string; readonly public_url: string }> {
  const made = await admin.post<{ id: string; public_url: string }>("/v1/publications", {
    title: `About ${name}`,
    ...body,
  });
  links.set(name, made.public_url);
  return made;
}

function linkOf(name: string): string {
  return links.get(name) ?? "";
}

describe.each(PAGES)("%s", (name) => {
  test("is shown in a browser without a login, and axe finds nothing", async () => {
    for (const colorScheme of ["light", "dark"] as const) {
      for (const width of [1280, 390]) {
        const page = await browser.newPage({ colorScheme, viewport: { width, height: 900 } });
        const foreign: string[] = [];
        let bytes = 0;
        page.on("request", (request) => {
          if (!request.url().startsWith(`${server.url}/`)) foreign.push(request.url());
        });
        page.on("response", async (response) => {
          bytes += gzipSync(await response.body()).byteLength;
        });
        const response = await page.goto(linkOf(name), { waitUntil: "networkidle" });
        expect(response?.status()).toBe(200);
        expect(await page.locator("main table").first().locator("tbody tr").count()).toBeGreaterThan(0);
        expect(
          await page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"),
        ).toBe(true);
        expect(await findAccessibilityFaults(page)).toEqual([]);
        expect(foreign).toEqual([]);
        expect(bytes).toBeLessThan(VIEW_BYTES_MAX);
        await page.close();
      }
    }
  });
});

test.each(PAGES.filter((name) => name !== "heavy-labels"))("%s prints to one sheet of A4", async (name) => {
  const page = await browser.newPage();
  await page.goto(linkOf(name));
  const sheet = await page.pdf({ format: "A4" });
  expect(sheet.toString("latin1").match(/\/Type\s*\/Page\b/g)).toHaveLength(1);
  await page.close();
});

describe("a link keeps its key to its reader", () => {
  test("its answers forbid to store, index, frame and pass it on, whatever they are", async () => {
    const [right, wrong] = [linkOf("growing"), linkOf("growing").replace(/.$/, "!")];
    const files = [
      right,
      right.replace("?", ".json?"),
      right.replace("?", ".csv?"),
      right.replace("?", ".svg?"),
      wrong,
    ];
    for (const url of files) {
      const { headers } = await fetch(url);
      expect(Object.fromEntries(headers)).toMatchObject({
        "cache-control": "private, no-store",
        "referrer-policy": "no-referrer",
        "x-robots-tag": "noindex, nofollow, noarchive",
        "x-content-type-options": "nosniff",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "content-security-policy": expect.stringMatching(/^default-src 'none';.*frame-ancestors 'none'$/) as unknown,
      });
    }
  });

  test("in a frame of another site it is shown, and leaves no trace there, nor wherever its reader goes next", async () => {
    const canary = await startCanary();
    const page = await browser.newPage({ viewport: { width: 800, height: 600 } });
    const link = `${linkOf("growing")}&embed=1&theme=dark`;
    canary.serve(`<!doctype html><title>Host</title><iframe width="700" height="500" src="${link}"></iframe>`);
    await page.goto(canary.url);
    const frame = page.frame({ url: link });
    expect(await frame?.locator("h1").textContent()).toBe("About growing");
    expect(await frame?.locator("html").getAttribute("data-theme")).toBe("dark");
    await frame?.evaluate(`location.href = ${JSON.stringify(`${canary.url}/next`)}`);
    await eventually(
      async () => canary.seen,
      (requests) => requests.some(({ path }) => path === "/next"),
      5_000,
    );
    await page.goto(linkOf("growing"));
    await page.evaluate(`location.href = ${JSON.stringify(`${canary.url}/after`)}`);
    await page.waitForURL(`${canary.url}/after`);
    const seen = canary.seen.filter(({ path }) => path === "/next" || path === "/after");
    expect(seen.map(({ path }) => path)).toEqual(["/next", "/after"]);
    for (const { headers } of seen) expect(headers.referer).toBeUndefined();
    expect(JSON.stringify(canary.seen)).not.toContain(keyOf("growing"));
    await page.close();
    await canary.close();
  });

  test("without `embed=1` no other site can frame it", async () => {
    const canary = await startCanary();
    canary.serve(`<!doctype html><title>Host</title><iframe src="${linkOf("growing")}"></iframe>`);
    const page = await browser.newPage();
    await page.goto(canary.url, { waitUntil: "networkidle" });
    for (const frame of page.frames()) expect(await frame.content()).not.toContain("About growing");
    await page.close();
    await canary.close();
  });

  test("a chart is a picture that any page may show", async () => {
    const canary = await startCanary();
    const src = linkOf("by day").replace("?", ".svg?");
    canary.serve(`<!doctype html><title>Host</title><img alt="Usage by day" src="${src}&embed=1">`);
    const page = await browser.newPage();
    await page.goto(canary.url, { waitUntil: "networkidle" });
    expect(await page.evaluate("document.images[0].naturalWidth")).toBe(720);
    await page.close();
    await canary.close();
  });
});

test("a link that is taken back is closed within ten seconds", async () => {
  const { id, public_url } = await publish("revoked", { report: "growing", params: { metric: "api_requests" } });
  expect((await fetch(public_url)).status).toBe(200);
  const authorization = `Bearer ${server.keys.admin}`;
  await fetch(`${server.url}/v1/publications/${id}`, { method: "DELETE", headers: { authorization } });
  const status = async (): Promise<number> => (await fetch(public_url)).status;
  expect(await eventually(status, (answer) => answer === 404, 10_000)).toBe(404);
});

test("ten thousand guesses open nothing, tell nothing, and lock nobody out", async () => {
  const seen = new Map<string, number>();
  const { pathname } = new URL(linkOf("growing"));
  let next = 0;
  const guesser = async (): Promise<void> => {
    for (let mine = next++; mine < GUESSES; mine = next++) {
      const key = `${String(mine).padStart(5, "0")}${keyOf("growing").slice(5)}`;
      // Half of them at an id that exists.
      const path = mine % 2 === 0 ? pathname : `/q/pub_${String(mine).padStart(20, "0")}`;
      const response = await fetch(`${server.url}${path}?key=${key}`);
      const answer = JSON.stringify([response.status, response.headers.get("retry-after"), await response.text()]);
      seen.set(answer, (seen.get(answer) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: 32 }, guesser));
  const answers = [...seen].map(([answer, count]) => [answer.slice(0, 9), count] as const);
  expect(answers.map(([answer]) => answer)).toEqual(["[404,null", '[429,"60"']);
  // Thirty a minute, for the few minutes that this can take.
  expect(new Map(answers).get("[404,null")).toBeLessThan(200);
  expect((await fetch(linkOf("growing"))).status).toBe(200);
});

test("what the server prints names no key", () => {
  for (const name of PAGES) expect(server.output()).not.toContain(keyOf(name));
});

function keyOf(name: string): string {
  return new URL(linkOf(name)).searchParams.get("key") ?? "";
}

interface Canary {
  readonly url: string;
  readonly seen: readonly { readonly path: string; readonly headers: IncomingHttpHeaders }[];
  /** What it answers from here on. */
  serve(html: string): void;
  close(): Promise<void>;
}

/** Somebody else's site, which notes every request that it gets. */
async function startCanary(): Promise<Canary> {
  const seen: { path: string; headers: IncomingHttpHeaders }[] = [];
  let page = "";
  const site: HttpServer = createServer((request, response) => {
    seen.push({ path: request.url ?? "", headers: request.headers });
    response.setHeader("content-type", "text/html; charset=utf-8").end(page);
  });
  await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
  // Another name than the platform's, so that it is another site to the browser.
  const url = `http://localhost:${(site.address() as AddressInfo).port}`;
  return {
    url,
    seen,
    serve: (html) => (page = html),
    close: () => new Promise((resolve) => void site.close(() => resolve())),
  };
}
