import type { Decision } from "./decision.ts";

/** An answer to a request that was denied. */
export interface Denial {
  readonly status: 429;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Says no to a request: 429 as `application/problem+json` (RFC 9457), with the `RateLimit` fields of the
 * IETF draft and `Retry-After` when the end of the billing cycle is known.
 *
 * @param now milliseconds.
 */
export function toDenial(decision: Decision, now: number): Denial {
  const { metric, limit, remaining, cycle, reason = "limit_reached" } = decision;
  const resetSeconds = cycle === null ? null : Math.max(1, Math.ceil((Date.parse(cycle.end) - now) / 1_000));
  const problem = {
    type: "about:blank",
    title: "Too Many Requests",
    status: 429,
    detail: DETAIL[reason],
    code: reason,
    metric,
    limit,
    remaining,
    cycle,
  };
  return {
    status: 429,
    headers: {
      "content-type": "application/problem+json",
      "cache-control": "no-store",
      ...rateLimit(metric, limit, remaining, resetSeconds),
    },
    body: JSON.stringify(problem),
  };
}

const DETAIL = {
  limit_reached: "The limit of this billing cycle is reached.",
  unknown_customer: "There is no allowance for this customer.",
  no_allowance: "There is no allowance for this metric.",
  meter_unavailable: "The limit cannot be checked at the moment. Try again later.",
} as const;

/** The fields hold whole numbers of at most 15 digits (RFC 9651, 3.3.1); a limit that is none is not told. */
function rateLimit(
  metric: string,
  limit: string | null,
  remaining: string | null,
  resetSeconds: number | null,
): Readonly<Record<string, string>> {
  if (resetSeconds === null) return {};
  const retryAfter = { "retry-after": String(resetSeconds) };
  if (!isWhole(limit) || !isWhole(remaining) || !/^[\w.:-]+$/.test(metric)) return retryAfter;
  return {
    ...retryAfter,
    ratelimit: `"${metric}";r=${remaining};t=${resetSeconds}`,
    "ratelimit-policy": `"${metric}";q=${limit}`,
  };
}

function isWhole(quantity: string | null): quantity is string {
  return quantity !== null && /^\d{1,15}$/.test(quantity);
}
