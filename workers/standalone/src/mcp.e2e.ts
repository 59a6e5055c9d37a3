import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { ApiClient, eventually } from "@tidemark/testing/api-client";
import { type Server, startServer } from "@tidemark/testing/server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const CUSTOMERS = 25;
const LINK_MS_MAX = 60_000;

let server: Server;
const clients: Client[] = [];

beforeAll(async () => {
  server = await startServer({ demo: false });
  const admin = new ApiClient(server.url, server.keys.admin);
  await admin.post("/v1/metrics", {
    name: "API requests",
    unit: "requests",
    type: "limit_metered",
    aggregation: "count",
    event_matchers: [{ event: "api_request" }],
  });
  const events = Array.from({ length: CUSTOMERS }, (_, index) =>
    Array.from({ length: index + 1 }, (_unused, at) => ({
      id: `${index}-${at}`,
      event: "api_request",
      customer_id: `customer_${index + 1}`,
    })),
  ).flat();
  await new ApiClient(server.url, server.keys.ingest).post("/v1/events", events);
  await admin.post("/v1/customers/acme/allowances", { metric: "api_requests", base: "10" });
});
afterAll(async () => {
  for (const client of clients) await client.close();
  await server.stop();
});

/** The official client, as a key's owner connects it; it speaks today's protocol or the one before. */
async function connect(key: string, mode: "auto" | "legacy" = "auto"): Promise<Client> {
  const client = new Client({ name: "test", version: "1.0.0" }, { versionNegotiation: { mode } });
  const headers = { authorization: `Bearer ${key}` };
  await client.connect(new StreamableHTTPClientTransport(new URL("/mcp", server.url), { requestInit: { headers } }));
  clients.push(client);
  return client;
}

interface Answer {
  readonly isError: boolean;
  readonly text: string;
  /** Whatever the tool answers. */
  readonly body: Readonly<Record<string, unknown>>;
}

async function use(client: Client, name: string, input: Record<string, unknown> = {}): Promise<Answer> {
  const { isError = false, content, structuredContent = {} } = await client.callTool({ name, arguments: input });
  const text = content.map((part) => (part.type === "text" ? part.text : "")).join("\n");
  return { isError, text, body: structuredContent as Answer["body"] };
}

describe("an agent", () => {
  test.each(["auto", "legacy"] as const)("finds the tools that its key may use (%s)", async (mode) => {
    const names = async (key: string): Promise<readonly string[]> =>
      (await (await connect(key, mode)).listTools()).tools.map(({ name }) => name);
    const all = await names(server.keys.admin);
    expect(all).toEqual(
      expect.arrayContaining(["analytics_query", "analytics_query_archive", "publish_query", "check_quota"]),
    );
    expect(all).toContain("usage_metrics_create");
    expect(await names(server.keys.read)).toEqual(all.filter((name) => !/create|update|delete|publish/.test(name)));
    expect(await names(server.keys.ingest)).toEqual([]);
  });

  test(
    "asks for the top 20, publishes them, and the link opens without a login",
    { timeout: LINK_MS_MAX },
    async () => {
      const client = await connect(server.keys.admin);
      const params = { metric: "api_requests", days: 30, limit: 20 };
      const { body } = await eventually(
        async () => use(client, "run_report", { report: "top-customers", ...params }),
        (answer) => (answer.body["data"] as readonly unknown[] | undefined)?.length === 20,
        LINK_MS_MAX / 2,
      );
      const [first] = body["data"] as readonly { customer_id: string; total: string }[];
      expect(first).toMatchObject({ rank: 1, customer_id: `customer_${CUSTOMERS}`, total: String(CUSTOMERS) });
      const published = await use(client, "publish_query", { report: "top-customers", params, title: "Top 20" });
      expect(published.isError).toBe(false);
      const page = await fetch(String(published.body["public_url"]));
      expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html; charset=UTF-8"]);
      expect(await page.text()).toContain(`customer_${CUSTOMERS}`);
    },
  );

  test("asks ad hoc", async () => {
    const client = await connect(server.keys.read);
    const { isError, text, body } = await use(client, "analytics_query", {
      metric: "api_requests",
      group_by: ["customer"],
      range: { days: 7 },
      limit: 1,
    });
    expect(isError, text).toBe(false);
    expect(body["data"]).toMatchObject([{ group: { customer: `customer_${CUSTOMERS}` } }]);
  });

  test("asks the archive, and reads the job's result", { timeout: LINK_MS_MAX }, async () => {
    const client = await connect(server.keys.read);
    const refused = await use(client, "analytics_query", { metric: "api_requests", source: "archive" });
    expect([refused.isError, refused.text]).toEqual([true, expect.stringContaining("analytics_query_archive")]);
    const begun = await use(client, "analytics_query_archive", {
      group_by: ["customer"],
      range: { days: 7 },
      limit: 1,
    });
    expect(begun.isError, begun.text).toBe(false);
    const { body } = await eventually(
      async () => use(client, "job_retrieve", { id: begun.body["id"] }),
      (answer) => answer.body["state"] === "done",
      LINK_MS_MAX / 2,
    );
    expect(body["result"]).toMatchObject({ total_rows: CUSTOMERS, truncated: true });
  });

  test("makes, changes and deletes a metric", async () => {
    const client = await connect(server.keys.admin);
    const draft = { aggregation: "sum", value_property: "tokens", event_matchers: [{ event: "llm_call" }] };
    const events = [{ event: "llm_call", properties: { tokens: 7 } }];
    expect((await use(client, "usage_metrics_preview", { metric: draft, events })).text).toContain('"7"');
    const made = await use(client, "usage_metrics_create", { name: "Tokens", ...draft });
    expect(made.body["slug"]).toBe("tokens");
    const changed = await use(client, "usage_metrics_update", { metric: "tokens", unit: "tokens" });
    expect(changed.body["unit"]).toBe("tokens");
    expect((await use(client, "usage_metrics_retrieve", { metric: "tokens" })).body["unit"]).toBe("tokens");
    expect((await use(client, "usage_metrics_list")).text).toContain('"slug":"tokens"');
    expect((await use(client, "usage_metrics_delete", { metric: "tokens" })).isError).toBe(false);
    expect((await use(client, "usage_metrics_retrieve", { metric: "tokens" })).body["code"]).toBe("not_found");
  });

  test("is told what its key lacks, by the tool", async () => {
    const read = await use(await connect(server.keys.read), "usage_metrics_create", { name: "x" });
    expect(read).toMatchObject({ isError: true, body: { code: "missing_scope", status: 403 } });
    expect(read.text).toContain('needs a key with the scope "admin"');
    const ingest = await use(await connect(server.keys.ingest), "usage_metrics_list");
    expect(ingest).toMatchObject({ isError: true, body: { code: "missing_scope" } });
    expect(ingest.text).toContain(String(ingest.body["request_id"]));
  });

  test("checks a quota up to its limit and uses nothing", async () => {
    const client = await connect(server.keys.read);
    const check = async (amount: number): Promise<Answer["body"]> =>
      (await use(client, "check_quota", { customer_id: "acme", metric: "api_requests", amount })).body;
    for (let time = 0; time < 3; time++) {
      expect(await check(10)).toMatchObject({ allowed: true, limit: "10", used: "0", remaining: "10" });
    }
    expect(await check(11)).toMatchObject({ allowed: false, reason: "limit_reached", remaining: "10" });
    await new ApiClient(server.url, server.keys.ingest).post("/v1/consume", {
      customer_id: "acme",
      metric: "api_requests",
      amount: 10,
    });
    expect(await check(1)).toMatchObject({ allowed: false, reason: "limit_reached", used: "10", remaining: "0" });
  });

  test("cannot connect with a key that is none", async () => {
    await expect(connect(server.keys.read.replace(/.$/, "!"))).rejects.toThrow();
  });
});
