import type { Answer } from "./api.ts";
import type { Delivery } from "./courier.ts";
import type { Decision } from "./decision.ts";
import type { OnError } from "./fault.ts";

/** Usage that was admitted while Tidemark was away: a request to make until it is answered. */
export interface Replay {
  readonly path: string;
  readonly body: string;
  readonly bytes: number;
  /** One attempt, with the same id every time. */
  readonly attempt: () => Promise<Answer<ReplayResult>>;
}

/** Whether usage is counted now; `later` when its meter cannot be reached yet. */
export type ReplayResult = "counted" | "denied" | "later";

/** What a decision on usage that was already admitted means for it. */
export function toReplayResult(decision: Decision): ReplayResult {
  if (decision.allowed) return "counted";
  return decision.reason === "meter_unavailable" ? "later" : "denied";
}

/** Makes the requests side by side, once each. What cannot be counted any more is reported, never forgotten. */
export async function sendReplays(batch: readonly Replay[], onError: OnError): Promise<Delivery<Replay>> {
  const answers = await Promise.all(batch.map((replay) => replay.attempt()));
  const left: Replay[] = [];
  let waitMs: number | null = null;
  for (const [index, replay] of batch.entries()) {
    const answer = answers[index];
    if (answer === undefined) continue;
    const detail = whyUncounted(answer);
    if (detail !== undefined) onError({ kind: "uncounted", path: replay.path, body: replay.body, detail });
    if (isLeft(answer)) left.push(replay);
    if (answer.kind === "unavailable" && answer.retryAfterMs !== null) {
      waitMs = Math.max(waitMs ?? 0, answer.retryAfterMs);
    }
  }
  return { left, waitMs };
}

/** Statuses about the key: the usage is kept for the day it is mended. */
const ABOUT_KEY = new Set([401, 403]);

function isLeft(answer: Answer<ReplayResult>): boolean {
  switch (answer.kind) {
    case "answered":
      return answer.body === "later";
    case "refused":
      return ABOUT_KEY.has(answer.error.status);
    case "unavailable":
      return true;
  }
}

function whyUncounted(answer: Answer<ReplayResult>): string | undefined {
  if (answer.kind === "refused") return isLeft(answer) ? undefined : answer.error.message;
  const denied = answer.kind === "answered" && answer.body === "denied";
  return denied ? "It was admitted without a meter, and the meter now denies it." : undefined;
}
