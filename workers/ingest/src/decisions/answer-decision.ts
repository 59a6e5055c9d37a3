import type { Decision } from "@tidemark/contract";

/**
 * A decision as an answer, with what is left of the limit in the headers of the IETF's draft on rate limits
 * (draft-ietf-httpapi-ratelimit-headers): the quota, its window, and the seconds until it starts again.
 */
export function answerDecision(answer: Decision, requestId: string, now: number, status = 200): Response {
  return new Response(JSON.stringify(answer), {
    status,
    headers: {
      "content-type": "application/json",
      "cache-control": "no-store",
      "x-request-id": requestId,
      ...rateLimitHeaders(answer, now),
    },
  });
}

/** The headers of a decision on a limit; none where nothing is limited. */
function rateLimitHeaders({ metric, limit, carried, remaining, cycle }: Decision, now: number): object {
  if (limit === null || remaining === null || cycle === null) return {};
  const [start, end] = [Date.parse(cycle.start), Date.parse(cycle.end)];
  const seconds = Math.max(Math.ceil((end - now) / 1000), 0);
  const name = JSON.stringify(metric);
  const quota = BigInt(whole(limit)) + BigInt(whole(carried));
  if (quota > LARGEST_INTEGER) return {};
  return {
    ratelimit: `${name};r=${whole(remaining)};t=${seconds}`,
    "ratelimit-policy": `${name};q=${quota};w=${Math.ceil((end - start) / 1000)}`,
  };
}

/** The most that a structured field (RFC 9651) can say. */
const LARGEST_INTEGER = 999_999_999_999_999n;

/** The whole units of a decimal, which is what these headers can say. */
function whole(decimal: string): string {
  return decimal.split(".")[0] ?? "0";
}
