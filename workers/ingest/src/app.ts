import { createApp, newRequestId } from "@tidemark/http/app";
import { errorResponse } from "@tidemark/http/problem";
import type { IngestEnv } from "./env.ts";
import { postEvents } from "./routes/post-events.ts";

const app = createApp<IngestEnv>();

app.post("/v1/events", (context) => postEvents(context.req.raw, context.env, context.get("request_id")));

/** The address of the one route that gateways call all the time. */
const EVENTS = /^https?:\/\/[^/]+\/v1\/events(?:\?|$)/;

/** Whether a request is for this Worker, in a deployment where it shares an origin. */
export function isIngest(request: Request): boolean {
  return EVENTS.test(request.url);
}

/**
 * The write path. Posting events passes by the router, which would be a tenth of what a request costs;
 * everything else, down to the 404, is the app's.
 */
export async function fetch(request: Request, env: IngestEnv, context: ExecutionContext): Promise<Response> {
  if (request.method !== "POST" || !isIngest(request)) return app.fetch(request, env, context);
  const requestId = newRequestId();
  try {
    return await postEvents(request, env, requestId);
  } catch (error) {
    return errorResponse(error, requestId, request.url);
  }
}
