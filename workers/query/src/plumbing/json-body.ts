import { JSON_BODY_BYTES_MAX } from "@tidemark/contract";
import { Problem } from "@tidemark/http/problem";
import { readBody } from "@tidemark/http/read-body";
import type { MiddlewareHandler } from "hono";
import type { QueryAppEnv } from "../env.ts";

/**
 * Reads a JSON body within its limit, so that what validates it later finds small, well-formed text.
 *
 * @throws Problem unsupported_media_type, too_large, malformed_body.
 */
export const jsonBody: MiddlewareHandler<QueryAppEnv> = async (context, next) => {
  const type = context.req.header("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") {
    throw new Problem("unsupported_media_type", "Send the body as JSON, with Content-Type: application/json.");
  }
  const { raw } = context.req;
  const { text } = await readBody(raw, JSON_BODY_BYTES_MAX);
  checkJson(text);
  context.set("body_text", text);
  context.req.raw = new Request(raw.url, { method: raw.method, headers: raw.headers, body: text });
  await next();
};

/** `__proto__` is refused at any depth: it is never a field of ours, and some readers take it for more than a name. */
function checkJson(text: string): void {
  const keys = new Set<string>();
  try {
    JSON.parse(text, (key, value: unknown) => {
      keys.add(key);
      return value;
    });
  } catch (error) {
    if (text === "") throw new Problem("malformed_body", "The body is empty; send a JSON object.");
    // The reader runs out of stack long before a body of ours would.
    const isDeep = error instanceof RangeError;
    throw new Problem("malformed_body", isDeep ? "The body is nested too deeply." : "The body is not valid JSON.");
  }
  if (keys.has("__proto__")) {
    throw new Problem("malformed_body", 'The body has a field named "__proto__"; leave it out.');
  }
}
