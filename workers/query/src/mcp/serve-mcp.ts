import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import { WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js";
import { CallToolRequestSchema, ErrorCode, ListToolsRequestSchema, McpError } from "@modelcontextprotocol/sdk/types.js";
import { JSON_BODY_BYTES_MAX } from "@tidemark/contract";
import { authenticate, type Principal } from "@tidemark/http/authenticate";
import { Problem } from "@tidemark/http/problem";
import * as z from "zod";
import type { QueryApp, QueryEnv } from "../env.ts";
import { failures, KEYED } from "../plumbing/routes.ts";
import { VERSION } from "../version.ts";
import { type Caller, callTool } from "./call-tool.ts";
import { describeTool } from "./describe-tool.ts";
import { TOOLS } from "./tools.ts";

/**
 * Adds `POST /mcp`: the API as tools of the Model Context Protocol, over Streamable HTTP. Nothing is remembered
 * between requests, so there is no stream to open and no session to end: `GET` and `DELETE` are 405.
 */
export function serveMcp(app: QueryApp): void {
  app.openAPIRegistry.registerPath({
    method: "post",
    path: "/mcp",
    tags: ["System"],
    summary: "The API as tools for agents",
    description:
      "Model Context Protocol over Streamable HTTP, without sessions: a JSON-RPC message in, its answer out.",
    security: KEYED,
    responses: {
      200: { description: "The answer." },
      202: { description: "A notification was taken." },
      ...failures(413, 415),
    },
  });
  app.post("/mcp", async (context) => {
    const { env } = context;
    const request = context.req.raw;
    refuseForeignOrigin(request);
    const principal = await identify(request, env);
    const answer = await serve({ env, principal, request, ask: async (asked) => app.fetch(asked, env) });
    answer.headers.set("cache-control", "no-store");
    return answer;
  });
}

const INSTRUCTIONS = `Tidemark meters usage: programs send events, metrics turn them into quantities per customer.
Start with usage_metrics_list: every other tool names a metric by its slug. Then run_report or analytics_query for \
who uses how much, customer_usage and explain_customer for one customer, and publish_query to give people a link.
Quantities are exact decimals as text, in the metric's unit. Times are RFC 3339 in UTC.`;

/** The server itself checks a call, and blames the caller; what this refused would be an internal error. */
const AnyCallSchema = z.looseObject({ method: z.literal("tools/call") });

/** Answers one request. Tools are given as JSON Schema, which the API's own schemas write. */
async function serve(caller: Caller): Promise<Response> {
  const { request, principal } = caller;
  // oxlint-disable-next-line typescript/no-deprecated -- its high-level API wants schemas of zod to check by, which the API does, and is half as large again
  const server = new Server(
    { name: "tidemark", title: "Tidemark usage metering", version: VERSION },
    { capabilities: { tools: {} }, instructions: INSTRUCTIONS },
  );
  server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: TOOLS.filter(({ scope }) => principal.scopes.has(scope)).map(describeTool),
  }));
  server.setRequestHandler(AnyCallSchema, async (call) => {
    const { name, arguments: input = {} } = CallToolRequestSchema.parse(call).params;
    const tool = TOOLS.find((one) => one.name === name);
    if (tool === undefined) throw new McpError(ErrorCode.InvalidParams, `Unknown tool: ${name.slice(0, 64)}`);
    return callTool(tool, input, caller);
  });
  const transport = new WebStandardStreamableHTTPServerTransport({
    enableJsonResponse: true,
    maxRequestBodySize: JSON_BODY_BYTES_MAX,
  });
  await server.connect(transport);
  return transport.handleRequest(request);
}

/** A key of either kind may come in: what it may do is decided tool by tool. */
async function identify(request: Request, env: QueryEnv): Promise<Principal> {
  try {
    return await authenticate(request, "read", env);
  } catch (error) {
    if (error instanceof Problem && error.code === "missing_scope") return authenticate(request, "ingest", env);
    throw error;
  }
}

/** A page of another origin must not make a browser call tools, whatever it knows; programs send no Origin. */
function refuseForeignOrigin(request: Request): void {
  const origin = request.headers.get("origin");
  if (origin !== null && origin !== new URL(request.url).origin)
    throw new Problem("foreign_origin", "A page of another origin may not call tools.");
}
