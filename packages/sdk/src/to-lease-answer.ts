import type { DenialReason } from "./decision.ts";
import { isObject } from "./is-object.ts";
import type { LeaseAnswer } from "./lease-book.ts";

/** Why nothing was granted. */
export type LeaseReason = Exclude<DenialReason, "meter_unavailable">;

/** The meter's answer, and why it granted nothing; `null` when it did, or does not say. */
export interface ReasonedLeaseAnswer extends LeaseAnswer {
  readonly reason: LeaseReason | null;
}

/**
 * Reads the answer to a grant or a report.
 *
 * @returns `undefined` when it is not one. `granted` is NaN when it is no whole number that is exact here.
 */
export function toLeaseAnswer(body: unknown): ReasonedLeaseAnswer | undefined {
  if (!isObject(body)) return undefined;
  const { id, granted, sequence, ttl_ms: ttlMs, remaining, reason } = body;
  if (typeof id !== "string" || typeof granted !== "string") return undefined;
  if (typeof sequence !== "number" || typeof ttlMs !== "number") return undefined;
  const units = /^\d+$/.test(granted) ? Number(granted) : NaN;
  return {
    id,
    granted: Number.isSafeInteger(units) ? units : NaN,
    sequence,
    ttlMs,
    remaining: typeof remaining === "string" ? Number(remaining) : Infinity,
    reason: isReason(reason) ? reason : null,
  };
}

function isReason(value: unknown): value is LeaseReason {
  return value === "limit_reached" || value === "no_allowance" || value === "unknown_customer";
}
