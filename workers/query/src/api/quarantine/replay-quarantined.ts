import { createRoute } from "@hono/zod-openapi";
import { ReplayedSchema } from "@tidemark/contract/quarantine-schema";
import { findQuarantined, markReplayed, type QuarantineRow } from "@tidemark/db/quarantine";
import { Problem } from "@tidemark/http/problem";
import * as z from "zod";
import type { QueryApp, QueryEnv } from "../../env.ts";
import { IdempotencyHeaders, idempotent } from "../../plumbing/idempotent.ts";
import { toInstantText } from "../../plumbing/instant.ts";
import { requires } from "../../plumbing/requires.ts";
import { failures, json, KEYED } from "../../plumbing/routes.ts";
import { readMessage } from "./read-message.ts";

const route = createRoute({
  method: "post",
  path: "/v1/quarantine/{id}/replay",
  tags: ["Quarantine"],
  summary: "Put an entry back",
  description:
    "Sends what is held back to where it came from. Events that were counted meanwhile are not counted again, so replaying twice is safe.",
  security: KEYED,
  middleware: [requires("admin"), idempotent()] as const,
  request: { headers: IdempotencyHeaders, params: z.object({ id: z.string() }) },
  responses: { 200: json(ReplayedSchema, "It was sent."), ...failures(404, 409) },
});

export function replayQuarantined(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const address = { project_id: context.get("principal").project_id, id: context.req.valid("param").id };
    const row = await findQuarantined(context.env.DB, address.project_id, address.id);
    if (row === undefined) {
      throw new Problem("not_found", "The project has no entry with this id; GET /v1/quarantine lists those it has.");
    }
    await send(queueOf(context.env, row), row.body);
    // Only what the queue has taken is noted; if the note fails, replaying again is harmless.
    const now = Date.now();
    await markReplayed(context.env.DB, address, now);
    return context.json({ id: row.id, replayed_at: toInstantText(now) }, 200);
  });
}

function queueOf(env: QueryEnv, row: QuarantineRow): Queue<string> {
  const message = readMessage(row.body);
  if (message.kind === "unreadable" || message.project_id !== row.project_id) {
    throw new Problem(
      "conflict",
      "What arrived is not a message that can be processed, so nothing was sent; `body` of GET /v1/quarantine shows it.",
    );
  }
  if (message.kind === "events") return env.EVENTS;
  if (message.kind === "notification") return env.NOTIFICATIONS;
  if (env.ROLLUPS === undefined) {
    throw new Problem(
      "conflict",
      "This deployment cannot replay rollups: give the query Worker the binding ROLLUPS and send again.",
    );
  }
  return env.ROLLUPS;
}

async function send(queue: Queue<string>, body: string): Promise<void> {
  try {
    await queue.send(body, { contentType: "text" });
  } catch (error) {
    console.error(JSON.stringify({ at: "replay-quarantined", error: String(error) }));
    throw new Problem("unavailable", "The queue did not take the message; it is still in quarantine.", {
      headers: { "retry-after": "2" },
    });
  }
}
