import { createApp, newRequestId } from "@tidemark/http/app";
import { errorResponse } from "@tidemark/http/problem";
import type { IngestEnv } from "./env.ts";
import { getCheck, postUse } from "./routes/decide-use.ts";
import { postLease, postReport } from "./routes/leases.ts";
import { postEvents } from "./routes/post-events.ts";
import { postReservation, postReservationEnd } from "./routes/reservations.ts";

const app = createApp<IngestEnv>();

app.post("/v1/events", (context) => postEvents(context.req.raw, context.env, context.get("request_id")));
for (const kind of ["check", "consume"] as const) {
  app.post(`/v1/${kind}`, (context) =>
    postUse(kind, context.req.raw, { env: context.env, context: context.executionCtx }, context.get("request_id")),
  );
}
app.get("/v1/check", (context) =>
  getCheck(context.req.raw, { env: context.env, context: context.executionCtx }, context.get("request_id")),
);
app.post("/v1/reservations", (context) =>
  postReservation(context.req.raw, { env: context.env, context: context.executionCtx }, context.get("request_id")),
);
for (const ending of ["commit", "release", "extend"] as const) {
  app.post(`/v1/reservations/:id/${ending}`, (context) => {
    const asking = { env: context.env, context: context.executionCtx };
    return postReservationEnd(ending, context.req.param("id"), context.req.raw, asking, context.get("request_id"));
  });
}
app.post("/v1/leases", (context) =>
  postLease(context.req.raw, { env: context.env, context: context.executionCtx }, context.get("request_id")),
);
app.post("/v1/leases/:id/report", (context) => {
  const asking = { env: context.env, context: context.executionCtx };
  return postReport(context.req.param("id"), context.req.raw, asking, context.get("request_id"));
});

/** Everything that this Worker answers. */
const OURS = /^https?:\/\/[^/]+\/v1\/(?:events|check|consume|reservations|leases)(?:[/?#]|$)/;
/** The addresses that gateways call all the time. */
const BUSY = /^https?:\/\/[^/]+\/v1\/(events|check|consume)(?:\?|$)/;
/** Lists of events are the query Worker's. */
const READ = /^https?:\/\/[^/]+\/v1\/events\/.+/;

/** Whether a request is for this Worker, in a deployment where it shares an origin. */
export function isIngest(request: Request): boolean {
  return OURS.test(request.url) && !READ.test(request.url);
}

/**
 * The write and decision path. What is called all the time passes by the router, which would be a tenth of what
 * a request costs; everything else, down to the 404, is the app's.
 */
export async function fetch(request: Request, env: IngestEnv, context: ExecutionContext): Promise<Response> {
  const busy = request.method === "POST" ? BUSY.exec(request.url)?.[1] : undefined;
  if (busy === undefined) return app.fetch(request, env, context);
  const requestId = newRequestId();
  try {
    return busy === "events"
      ? await postEvents(request, env, requestId)
      : await postUse(busy === "check" ? "check" : "consume", request, { env, context }, requestId);
  } catch (error) {
    return errorResponse(error, requestId, request.url);
  }
}
