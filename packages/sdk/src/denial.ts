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
  const { metric, limit, carried, remaining, cycle, reason = "limit_reached" } = decision;
  const resetSeconds = cycle === null ? null : Math.max(1, Math.ceil((Date.parse(cycle.end) - now) / 1_000));
  const problem = {
    type: "about:blank",
    title: "Too Many Requests",
    status: 429,
    detail: DETAIL[reason],
    code: reason,
    metric,
    limit,
    carried,
    remaining,
    cycle,
  };
  return {
    status: 429,
    headers: {
      "content-type": "application/problem+json",
      "cache-control": "no-store",
      ...rateLimit(decision, resetSeconds),
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

/** The fields say whole units, as the server's do; what they cannot say they do not. */
function rateLimit(
  { metric, limit, carried, remaining }: Decision,
  resetSeconds: number | null,
): Readonly<Record<string, string>> {
  if (resetSeconds === null) return {};
  const retryAfter = { "retry-after": String(resetSeconds) };
  const [base, more, left] = [whole(limit), whole(carried ?? "0"), whole(remaining)];
  if (base === null || more === null || left === null || !/^[\w.:-]+$/.test(metric)) return retryAfter;
  const quota = base + more;
  if (quota > LARGEST_INTEGER || left > LARGEST_INTEGER) return retryAfter;
  return {
    ...retryAfter,
    ratelimit: `"${metric}";r=${left};t=${resetSeconds}`,
    "ratelimit-policy": `"${metric}";q=${quota}`,
  };
}

/** The most that a structured field can say (RFC 9651, 3.3.1). */
const LARGEST_INTEGER = 999_999_999_999_999n;

/** The whole units of a decimal; `null` when it is none. */
function whole(quantity: string | null): bigint | null {
  const digits = /^(\d+)(?:\.\d+)?$/.exec(quantity ?? "")?.[1];
  return digits === undefined ? null : BigInt(digits);
}
