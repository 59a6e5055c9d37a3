import { createApp } from "@tidemark/http/app";
import type { IngestEnv } from "./env.ts";
import { postEvents } from "./routes/post-events.ts";

/** The write path: few routes, and nothing on the way that a request does not need. */
export const app = createApp<IngestEnv>();

app.post("/v1/events", (context) => postEvents(context.req.raw, context.env, context.get("request_id")));
