import type { CallToolResult } from "@modelcontextprotocol/sdk/types.js";
import { PROBLEM_KINDS, type ProblemBody } from "@tidemark/contract";
import { TOOL_ANSWER_LENGTH_MAX } from "@tidemark/contract/query-limits";

/**
 * The API's answer as a tool's: the same JSON, structured and as text for who reads only that. A problem is an
 * error that says what to do, and so is an answer that no agent could read.
 *
 * @param narrow how to ask for less.
 */
export async function toResult(response: Response, narrow: string): Promise<CallToolResult> {
  const text = await response.text();
  const { status } = response;
  if (!response.ok) {
    const problem = JSON.parse(text) as ProblemBody;
    return toError(`${problem.code}: ${problem.detail} ${PROBLEM_KINDS[problem.code].remedy}`, { ...problem });
  }
  if (text === "") return { content: [{ type: "text", text: "Done." }], structuredContent: { done: true } };
  const request_id = response.headers.get("x-request-id");
  if (text.length > TOOL_ANSWER_LENGTH_MAX) {
    const detail = `The answer has ${text.length} characters, and a tool's at most ${TOOL_ANSWER_LENGTH_MAX}. ${narrow}`;
    return toError(`answer_too_large: ${detail}`, { code: "answer_too_large", status, detail, request_id });
  }
  return { content: [{ type: "text", text }], structuredContent: JSON.parse(text) as Record<string, unknown> };
}

function toError(text: string, structuredContent: Record<string, unknown>): CallToolResult {
  const fields = "errors" in structuredContent ? `\n${JSON.stringify(structuredContent["errors"])}` : "";
  const said = `${text}${fields}\nrequest_id: ${String(structuredContent["request_id"])}`;
  return { isError: true, content: [{ type: "text", text: said }], structuredContent };
}
