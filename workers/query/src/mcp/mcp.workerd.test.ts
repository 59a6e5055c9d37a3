import type { ProblemBody } from "@tidemark/contract";
import { describe, expect, test } from "vitest";
import { call, json, makeMetric, makeProject, type TestProject } from "../../test/fixture.ts";
import { consume, setAllowance } from "../../test/quota-fixture.ts";

interface RpcAnswer {
  readonly jsonrpc: "2.0";
  readonly id: number | string | null;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly code: number; readonly message: string };
}

interface ToolAnswer {
  readonly isError?: true;
  readonly content: readonly { readonly type: "text"; readonly text: string }[];
  readonly structuredContent: Record<string, unknown>;
}

const HEADERS = { accept: "application/json, text/event-stream", "content-type": "application/json" };

async function rpc(project: TestProject, body: unknown, key?: string): Promise<RpcAnswer> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const options = { headers: HEADERS, body: text, ...(key === undefined ? {} : { key }) };
  return (await call(project, "POST /mcp", options)).json<RpcAnswer>();
}

async function callTool(project: TestProject, name: string, input: object, key?: string): Promise<ToolAnswer> {
  const { result } = await rpc(
    project,
    { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: input } },
    key,
  );
  return result as unknown as ToolAnswer;
}

async function toolNames(project: TestProject, key: string): Promise<readonly string[]> {
  const { result } = await rpc(project, { jsonrpc: "2.0", id: 1, method: "tools/list" }, key);
  return (result as unknown as { tools: { name: string }[] }).tools.map(({ name }) => name);
}

describe("the protocol", () => {
  test("begins with who is there, and keeps no session", async () => {
    const project = await makeProject();
    const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "test", version: "1" } };
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize", params });
    const response = await call(project, "POST /mcp", { headers: HEADERS, body });
    expect(response.headers.get("mcp-session-id")).toBeNull();
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(await response.json()).toMatchObject({
      id: 1,
      result: { protocolVersion: "2025-11-25", capabilities: { tools: {} }, serverInfo: { name: "tidemark" } },
    });
  });

  test.each<[string, unknown, number, number]>([
    ["what is not JSON", "{", 400, -32_700],
    ["what is not JSON-RPC", { method: 1 }, 400, -32_700],
    ["an unknown method", { jsonrpc: "2.0", id: 7, method: "nothing" }, 200, -32_601],
    ["an unknown tool", { jsonrpc: "2.0", id: 7, method: "tools/call", params: { name: "x" } }, 200, -32_602],
    [
      "arguments that are no object",
      { jsonrpc: "2.0", id: 7, method: "tools/call", params: { name: "list_reports", arguments: 1 } },
      200,
      -32_602,
    ],
  ])("answers %s with an error of JSON-RPC", async (_, message, status, code) => {
    const project = await makeProject();
    const body = typeof message === "string" ? message : JSON.stringify(message);
    const response = await call(project, "POST /mcp", { headers: HEADERS, body });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ jsonrpc: "2.0", error: { code } });
  });

  test("answers a batch message by message, and takes a notification without an answer", async () => {
    const project = await makeProject();
    const batch = [
      { jsonrpc: "2.0", id: "a", method: "ping" },
      { jsonrpc: "2.0", id: "b", method: "nothing" },
    ];
    const answers = (await rpc(project, batch)) as unknown as readonly RpcAnswer[];
    expect(answers).toMatchObject([
      { id: "a", result: {} },
      { id: "b", error: { code: -32_601 } },
    ]);
    const body = JSON.stringify({ jsonrpc: "2.0", method: "notifications/initialized" });
    expect((await call(project, "POST /mcp", { headers: HEADERS, body })).status).toBe(202);
  });

  test.each(["GET", "DELETE"])("has no stream and no session: %s is 405", async (method) => {
    const project = await makeProject();
    const response = await call(project, `${method} /mcp`);
    expect([response.status, response.headers.get("allow")]).toEqual([405, "POST"]);
  });

  test("wants a key, and says how it is given", async () => {
    const project = await makeProject();
    const response = await call(project, "POST /mcp", { key: null, headers: HEADERS, body: "{}" });
    expect([response.status, response.headers.get("www-authenticate")]).toEqual([401, 'Bearer realm="tidemark"']);
    expect(await response.json<ProblemBody>()).toMatchObject({ code: "missing_key" });
  });

  test("refuses pages of other origins", async () => {
    const project = await makeProject();
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" });
    const from = async (origin: string): Promise<number> =>
      (await call(project, "POST /mcp", { headers: { ...HEADERS, origin }, body })).status;
    expect(await from("https://evil.example")).toBe(403);
    expect(await from("null")).toBe(403);
    expect(await from("http://localhost")).toBe(200);
  });
});

describe("tools", () => {
  test("are those that the key may use", async () => {
    const project = await makeProject();
    expect(await toolNames(project, project.keys.ingest)).toEqual([]);
    const read = await toolNames(project, project.keys.read);
    expect(read).toContain("usage_metrics_list");
    expect(read).not.toContain("usage_metrics_create");
    expect(await toolNames(project, project.keys.admin)).toEqual(
      expect.arrayContaining([...read, "usage_metrics_create", "usage_metrics_update", "usage_metrics_delete"]),
    );
  });

  test("tell a key without the scope what the API would", async () => {
    const project = await makeProject();
    const created = await callTool(project, "usage_metrics_create", { name: "N" }, project.keys.read);
    expect(created).toMatchObject({ isError: true, structuredContent: { code: "missing_scope", status: 403 } });
    for (const name of ["usage_metrics_list", "check_quota"]) {
      const answer = await callTool(project, name, {}, project.keys.ingest);
      expect(answer).toMatchObject({ isError: true, structuredContent: { code: "missing_scope" } });
      expect(answer.content[0]?.text).toContain('needs a key with the scope "read"');
    }
  });

  test("create, change, retrieve, list and delete a metric", async () => {
    const project = await makeProject();
    const metric = { name: "Calls", event_matchers: [{ event: "call" }], aggregation: "count", idempotency_key: "k" };
    const created = await callTool(project, "usage_metrics_create", metric);
    expect(created.structuredContent).toMatchObject({ slug: "calls" });
    const again = await callTool(project, "usage_metrics_create", metric);
    expect(again.structuredContent).toEqual(created.structuredContent);
    const changed = await callTool(project, "usage_metrics_update", { metric: "calls", unit: "calls" });
    expect(changed.structuredContent).toMatchObject({ slug: "calls", unit: "calls" });
    expect((await callTool(project, "usage_metrics_retrieve", { metric: "calls" })).structuredContent).toMatchObject({
      unit: "calls",
      products: [],
    });
    expect((await callTool(project, "usage_metrics_list", { limit: 1 })).structuredContent).toMatchObject({
      data: [{ slug: "calls" }],
    });
    expect(await callTool(project, "usage_metrics_delete", { metric: "calls" })).toMatchObject({
      structuredContent: { done: true },
    });
    expect(await callTool(project, "usage_metrics_retrieve", { metric: "calls" })).toMatchObject({
      isError: true,
      structuredContent: { code: "not_found" },
    });
  });

  test("point at the argument that is wrong", async () => {
    const project = await makeProject();
    const answer = await callTool(project, "usage_metrics_list", { limit: 0 });
    expect(answer).toMatchObject({ isError: true, structuredContent: { code: "invalid_request" } });
    expect(answer.content[0]?.text).toContain("/limit: Must be at least 1.");
  });
});

describe("arguments", () => {
  test.each([
    [
      "run_report",
      { report: "top-customers", metric: "calls", format: "csv" },
      "/format: Must be one of report, metric,",
    ],
    ["customer_usage", { customer_id: "acme", format: "csv" }, "/format: Must be one of customer_id,"],
    ["list_reports", { format: "csv" }, "/format: The tool takes no arguments."],
    ["check_quota", { customer_id: "acme", metric: "calls", constructor: 1 }, "/constructor: Must be one of"],
    [
      "analytics_query",
      { metric: "calls", source: "archive" },
      '/source: Must be "usage", or be left out. Use analytics_query_archive',
    ],
    ["analytics_query_archive", { source: "usage" }, '/source: Must be "archive"'],
  ])(
    "of %s that the tool does not have are refused, and the answer says which it has: %j",
    async (tool, input, said) => {
      const project = await makeProject();
      await makeMetric(project, { slug: "calls" });
      const answer = await callTool(project, tool, input);
      expect(answer).toMatchObject({ isError: true, structuredContent: { code: "invalid_request", status: 400 } });
      expect(answer.content[0]?.text).toContain(said);
    },
  );
});

describe("the archive", () => {
  test("is asked by a tool of its own, which says that it begins something", async () => {
    const project = await makeProject();
    await makeMetric(project, { slug: "calls" });
    const { result } = await rpc(project, { jsonrpc: "2.0", id: 1, method: "tools/list" }, project.keys.read);
    const tools = (result as unknown as { tools: { name: string; annotations: object }[] }).tools;
    const hintsOf = (name: string) => tools.find((tool) => tool.name === name)?.annotations;
    expect(hintsOf("analytics_query")).toMatchObject({ readOnlyHint: true, idempotentHint: true });
    expect(hintsOf("analytics_query_archive")).toMatchObject({ readOnlyHint: false, destructiveHint: false });
    const usage = await callTool(project, "analytics_query", { metric: "calls" }, project.keys.read);
    expect(usage.structuredContent).toMatchObject({ metric: "calls", total_rows: 1 });
    const begun = await callTool(project, "analytics_query_archive", { range: { days: 1 } }, project.keys.read);
    expect(begun.structuredContent).toMatchObject({ kind: "query", state: "waiting" });
    const again = await callTool(project, "job_retrieve", { id: begun.structuredContent["id"] }, project.keys.read);
    expect(again.structuredContent).toMatchObject({ id: begun.structuredContent["id"] });
  });
});

describe("checking a quota", () => {
  async function setUp(): Promise<TestProject> {
    const project = await makeProject();
    await makeMetric(project, { slug: "calls", type: "limit_metered" });
    await setAllowance(project, "acme", { metric: "calls", base: 10, enforcement: "hard" });
    await consume(project, "acme", "calls", { amount: 9 });
    return project;
  }
  const ask = async (project: TestProject, amount?: number | string): Promise<Record<string, unknown>> =>
    (await callTool(project, "check_quota", { customer_id: "acme", metric: "calls", amount }, project.keys.read))
      .structuredContent;

  test("says what is left and whether it is enough, and uses nothing", async () => {
    const project = await setUp();
    const before = await json(project, "GET /v1/customers/acme/balances");
    expect(await ask(project)).toMatchObject({ allowed: true, limit: "10", used: "9", remaining: "1" });
    expect(await ask(project, "2")).toMatchObject({ allowed: false, reason: "limit_reached", remaining: "1" });
    const { data } = await json(project, "GET /v1/customers/acme/balances");
    expect(data).toEqual(before["data"]);
  });

  test("denies a customer whom nobody has set a limit for, and makes none", async () => {
    const project = await setUp();
    const { structuredContent } = await callTool(project, "check_quota", { customer_id: "nobody", metric: "calls" });
    expect(structuredContent).toMatchObject({ allowed: false });
    expect((await call(project, "GET /v1/customers/nobody")).status).toBe(404);
  });

  test("points at an amount that is none", async () => {
    const project = await setUp();
    expect(await ask(project, "many")).toMatchObject({ code: "invalid_request" });
  });
});
