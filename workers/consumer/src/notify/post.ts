import { DELIVERY_TIMEOUT_MS, WEBHOOK_BYTES_MAX } from "@tidemark/contract";
import type { AttemptResult } from "@tidemark/db/attempts";
import { readRetryAfter } from "./retry-schedule.ts";

/** Why an attempt came to nothing. */
export type AttemptError =
  | "status"
  | "redirect"
  | "gone"
  | "timeout"
  | "unreachable"
  | "refused_address"
  | "unreadable_address"
  | "too_large";

/** How an attempt went; `error` is `null` when it was taken. */
export interface Attempt extends AttemptResult {
  readonly error: AttemptError | null;
  /** What the receiver asked for, where it did. */
  readonly retry_after_ms: number | null;
}

/** An attempt that was not made. */
export function unsent(error: AttemptError): Attempt {
  return { status: null, latency_ms: null, error, retry_after_ms: null };
}

/**
 * Posts a body to somebody else's server. A redirect is not followed, for it could lead anywhere, and what is answered
 * is never read: only whether it was taken matters, and whoever named the address must not see through us.
 */
export async function post(url: string, headers: Readonly<Record<string, string>>, body: string): Promise<Attempt> {
  if (new TextEncoder().encode(body).byteLength > WEBHOOK_BYTES_MAX) return unsent("too_large");
  const from = Date.now();
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", "user-agent": "Tidemark-Webhooks/1", ...headers },
      body,
      redirect: "manual",
      signal: AbortSignal.timeout(DELIVERY_TIMEOUT_MS),
    });
    const now = Date.now();
    const { status } = response;
    // It may be gone already; what matters has been said.
    await response.body?.cancel().catch(() => {});
    const retry_after_ms =
      status === 429 || status === 503 ? readRetryAfter(response.headers.get("retry-after"), now) : null;
    return { status, latency_ms: now - from, error: judge(status), retry_after_ms };
  } catch (error) {
    const isTimeout = error instanceof DOMException && error.name === "TimeoutError";
    return { ...unsent(isTimeout ? "timeout" : "unreachable"), latency_ms: Date.now() - from };
  }
}

function judge(status: number): AttemptError | null {
  if (status >= 200 && status < 300) return null;
  if (status >= 300 && status < 400) return "redirect";
  return status === 410 ? "gone" : "status";
}
