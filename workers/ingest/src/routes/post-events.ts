import { BATCH_EVENTS_MAX, BODY_BYTES_MAX, type Rejection } from "@tidemark/contract";
import { authenticate } from "@tidemark/http/authenticate";
import { Problem } from "@tidemark/http/problem";
import { readBody } from "@tidemark/http/read-body";
import type { IngestEnv } from "../env.ts";
import { judgeEvents } from "../judge-events.ts";
import { packMessages } from "../pack-messages.ts";
import { parseItems } from "../parse-items.ts";
import { sendMessages } from "../send-messages.ts";

/**
 * Takes events into the queue. What is acknowledged here is counted exactly once: the answer waits for
 * the queue, each event's age is decided now and never again, and a request is taken whole or not at all.
 */
export async function postEvents(request: Request, env: IngestEnv, requestId: string): Promise<Response> {
  const principal = await authenticate(request, "ingest", env);
  const body = await readBody(request, BODY_BYTES_MAX);
  const parsed = parseItems(request.headers.get("content-type"), body.text);
  if (parsed.items.length > BATCH_EVENTS_MAX) {
    throw new Problem(
      "too_large",
      `The request has ${parsed.items.length} events; at most ${BATCH_EVENTS_MAX} are taken at once.`,
    );
  }

  const receivedAt = Date.now();
  const judged = judgeEvents(parsed, receivedAt);
  const packed = packMessages({ projectId: principal.project_id, receivedAt, body, parsed, judged });
  const rejected = mergeByIndex(judged.rejected, packed.rejected);
  const accepted = judged.events.length - packed.rejected.length;
  if (accepted === 0 && rejected.length > 0) {
    const errors = rejected.map(({ pointer, code, detail }) => ({ pointer, code, detail }));
    throw new Problem("no_valid_event", refusal(rejected), { errors });
  }
  await sendMessages(env.EVENTS, packed.messages);
  return answer(requestId, accepted, rejected, judged.madeIds ? judged.ids : undefined);
}

/**
 * The 202. Written by hand, because nearly every answer has no refusals and no ids to tell.
 *
 * @param ids the id of every item in order, `null` for a refused one; only when the server made some.
 */
function answer(
  requestId: string,
  accepted: number,
  rejected: readonly Rejection[],
  ids: readonly (string | null)[] | undefined,
): Response {
  const refusals = rejected.length === 0 ? "[]" : JSON.stringify(rejected);
  const made = ids === undefined ? "" : `,"ids":${JSON.stringify(ids)}`;
  return new Response(`{"accepted":${accepted},"rejected":${refusals}${made},"request_id":"${requestId}"}`, {
    status: 202,
    headers: { "content-type": "application/json", "x-request-id": requestId },
  });
}

function refusal(rejected: readonly Rejection[]): string {
  const [first] = rejected;
  if (rejected.length === 1 && first !== undefined) return `The event was refused: ${first.detail}`;
  return `All ${rejected.length} events were refused; \`errors\` names each.`;
}

function mergeByIndex(a: readonly Rejection[], b: readonly Rejection[]): readonly Rejection[] {
  return b.length === 0 ? a : [...a, ...b].toSorted((left, right) => left.index - right.index);
}
