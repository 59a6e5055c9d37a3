import type { CallToolResult } from "@modelcontextprotocol/sdk/types.js";
import { newRequestId } from "@tidemark/http/app";
import type { Principal } from "@tidemark/http/authenticate";
import { errorResponse } from "@tidemark/http/problem";
import type { QueryEnv } from "../env.ts";
import { invalid } from "../plumbing/issues.ts";
import { toPointer } from "../plumbing/pointer.ts";
import { describeTool } from "./describe-tool.ts";
import { toRequest } from "./to-request.ts";
import { toResult } from "./to-result.ts";
import type { Arguments, Tool } from "./tool.ts";

/** Who calls, and what answers. */
export interface Caller {
  readonly env: QueryEnv;
  readonly principal: Principal;
  /** The call as it came over HTTP. */
  readonly request: Request;
  /** This Worker's API. */
  readonly ask: (request: Request) => Promise<Response>;
}

/** Asks the API what a tool stands for, as whoever calls: scopes, checks, limits and errors are the API's. */
export async function callTool(tool: Tool, input: Arguments, caller: Caller): Promise<CallToolResult> {
  try {
    return await toResult(await answer(tool, input, caller), tool.narrow);
  } catch (error) {
    return toResult(errorResponse(error, newRequestId(), caller.request.url), tool.narrow);
  }
}

async function answer(tool: Tool, input: Arguments, { env, principal, request, ask }: Caller): Promise<Response> {
  const { answeredBy } = tool;
  refuseUnknown(tool, input);
  if (typeof answeredBy === "function") return answeredBy(env, principal, input);
  return ask(toRequest(answeredBy, input, request));
}

/** A route can know more parameters than its tool, such as a format that is no JSON. */
function refuseUnknown(tool: Tool, input: Arguments): void {
  const { properties = {} } = describeTool(tool).inputSchema;
  const unknown = Object.keys(input).filter((name) => !Object.hasOwn(properties, name));
  if (unknown.length === 0) return;
  const known = Object.keys(properties);
  const detail = known.length === 0 ? "The tool takes no arguments." : `Must be one of ${known.join(", ")}.`;
  throw invalid(unknown.map((name) => ({ pointer: toPointer([name]), code: "unknown_field", detail })));
}
