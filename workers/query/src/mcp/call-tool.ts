import type { CallToolResult } from "@modelcontextprotocol/sdk/types.js";
import { newRequestId } from "@tidemark/http/app";
import type { Principal } from "@tidemark/http/authenticate";
import { errorResponse } from "@tidemark/http/problem";
import type { QueryEnv } from "../env.ts";
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
  return toResult(await answer(tool, input, caller), tool.narrow);
}

async function answer({ answeredBy }: Tool, input: Arguments, caller: Caller): Promise<Response> {
  const { env, principal, request, ask } = caller;
  try {
    if (typeof answeredBy === "function") return await answeredBy(env, principal, input);
    return await ask(toRequest(answeredBy, input, request));
  } catch (error) {
    return errorResponse(error, newRequestId(), request.url);
  }
}
