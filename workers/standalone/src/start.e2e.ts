import { execFile } from "node:child_process";
import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { ApiClient, eventually } from "@tidemark/testing/api-client";
import { findAccessibilityFaults, openBrowser } from "@tidemark/testing/browser";
import { type Server, startServer } from "@tidemark/testing/server";
import { afterAll, beforeAll, expect, test } from "vitest";

const sh = promisify(execFile);

interface Usage {
  readonly data: readonly { readonly value: string }[];
}

let server: Server;

beforeAll(async () => {
  server = await startServer({ demo: true });
});
afterAll(async () => {
  await server.stop();
});

/** The commands that `npm start` printed, as a person would paste them. */
function printedCommands(): string[] {
  return server
    .output()
    .split(/\n(?= {2}curl )/)
    .slice(1)
    .map((block) => block.split(/\n\n|\n(?= {0,1}\S)/)[0]?.trim() ?? "");
}

function dashboard(): string {
  return /Public dashboard, no login: (\S+)/.exec(server.output())?.[1] ?? "";
}

test("it prints the console's address, keys, a dashboard and commands, and keeps the keys to their owner", async () => {
  expect(server.output()).toContain(`Console    ${server.url}/`);
  for (const key of [server.keys.admin, server.keys.ingest, server.keys.read]) expect(server.output()).toContain(key);
  expect(server.keys.project).toBe("default");
  expect(statSync(join(server.stateDirectory, "keys.json")).mode & 0o777).toBe(0o600);
  expect((await fetch(server.url)).status).toBe(200);
});

test("the printed curl makes the printed customer's number rise by one, live and in the report", async () => {
  const [count, usage, report] = printedCommands();
  const customer = /"customer_id":"([^"]+)"/.exec(count ?? "")?.[1] ?? "";
  const live = async (): Promise<number> => {
    const answer = JSON.parse((await sh("sh", ["-c", usage ?? ""])).stdout) as Usage;
    return answer.data.reduce((sum, bucket) => sum + Number(bucket.value), 0);
  };
  const reported = async (): Promise<number> => {
    const answer = JSON.parse((await sh("sh", ["-c", report ?? ""])).stdout) as {
      data: { customer_id: string; total: string }[];
    };
    return Number(answer.data.find((row) => row.customer_id === customer)?.total);
  };
  const before = await live();
  expect(before).toBeGreaterThan(400);
  expect(await reported()).toBe(before);
  expect(JSON.parse((await sh("sh", ["-c", count ?? ""])).stdout)).toMatchObject({ accepted: 1, rejected: [] });
  expect(await eventually(live, (total) => total === before + 1, 5_000)).toBe(before + 1);
  expect(await eventually(reported, (total) => total === before + 1, 60_000)).toBe(before + 1);
});

test("the public link shows the top 20 in a browser without a login, and axe finds nothing", async () => {
  const browser = await openBrowser();
  try {
    for (const colorScheme of ["light", "dark"] as const) {
      for (const width of [1280, 390]) {
        const page = await browser.newPage({ colorScheme, viewport: { width, height: 900 } });
        const foreign: string[] = [];
        page.on("request", (request) => {
          if (!request.url().startsWith(server.url)) foreign.push(request.url());
        });
        const response = await page.goto(dashboard());
        expect(response?.status()).toBe(200);
        expect(await page.locator("main table").first().locator("tbody tr").count()).toBe(20);
        expect(
          await page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"),
        ).toBe(true);
        expect(await findAccessibilityFaults(page)).toEqual([]);
        expect(foreign).toEqual([]);
        if (process.env["UPDATE_PICTURES"] === "1" && width === 1280) {
          await page.screenshot({
            path: join(import.meta.dirname, `../../../docs/images/dashboard-${colorScheme}.png`),
          });
        }
        await page.close();
      }
    }
  } finally {
    await browser.close();
  }
});

test("it ends within ten seconds of a SIGTERM with code 0, and goes on where it stopped", async () => {
  const ingest = new ApiClient(server.url, server.keys.ingest);
  const total = async (from: ApiClient): Promise<number> => {
    const usage = await from.get<Usage>("/v1/usage?metric=api_requests&customer_id=late");
    return usage.data.reduce((sum, bucket) => sum + Number(bucket.value), 0);
  };
  // The last of these are still in the queue when the signal comes.
  for (let i = 0; i < 20; i++) {
    await ingest.post(
      "/v1/events",
      Array.from({ length: 50 }, (_, j) => ({ id: `${i}-${j}`, event: "api_request", customer_id: "late" })),
    );
  }
  const { code, milliseconds } = await server.stop();
  expect(code).toBe(0);
  expect(milliseconds).toBeLessThan(10_000);
  await expect(fetch(server.url)).rejects.toThrow();

  const { keys, stateDirectory } = server;
  const events = [{ id: "waited", event: "api_request", customer_id: "late" }];
  const body = JSON.stringify({ v: 1, project_id: "default", received_at: Date.now(), events });
  writeFileSync(join(stateDirectory, "waiting-messages.json"), JSON.stringify([{ queue: "EVENTS", body }]));
  server = await startServer({ demo: true, stateDirectory });
  expect(server.keys).toEqual(keys);
  const read = new ApiClient(server.url, server.keys.read);
  // All that was acknowledged, and what the last stop had found waiting for another attempt.
  expect(
    await eventually(
      () => total(read),
      (sum) => sum === 1_001,
      10_000,
    ),
  ).toBe(1_001);
});
