import { isObject } from "./is-object.ts";

/** A quantity in a request: a whole number, or a decimal string where a number would round. */
export type Quantity = number | string;

/** What a decision is when Tidemark cannot be reached: everything is denied, or everything is admitted. */
export type UnavailablePolicy = "closed" | "open";

/** Why something was not allowed, or, with `meter_unavailable`, why it was not metered. */
export type DenialReason = "limit_reached" | "unknown_customer" | "no_allowance" | "meter_unavailable";

/**
 * Whether a customer may use something, and the state of the limit that decided. Quantities are exact
 * decimal strings in the metric's unit, `null` where there is none or where the meter was not reached.
 */
export interface Decision {
  readonly allowed: boolean;
  readonly metric: string;
  readonly reason?: DenialReason;
  readonly enforcement: string | null;
  /** Whether a meter stands behind the answer; `false` when it was made by `unavailable`. */
  readonly enforced: boolean;
  readonly limit: string | null;
  /** What earlier cycles left over; it comes on top of `limit`. */
  readonly carried: string | null;
  readonly used: string | null;
  readonly reserved: string | null;
  readonly remaining: string | null;
  readonly overage: string | null;
  readonly over_limit: boolean;
  /** The billing cycle, RFC 3339, the end exclusive. */
  readonly cycle: { readonly start: string; readonly end: string } | null;
  /** Whether the id was known, so that this is the answer it had before. */
  readonly duplicate?: boolean;
  readonly thresholds_crossed?: readonly unknown[];
}

/**
 * Reads an answer as a decision. What is not one, from a proxy perhaps, must not admit or deny anybody.
 *
 * @returns `undefined` when it is not one.
 */
export function toDecision(body: unknown): Decision | undefined {
  if (!isObject(body)) return undefined;
  const { allowed, metric, enforced, reason, cycle } = body;
  if (typeof allowed !== "boolean" || typeof metric !== "string" || typeof enforced !== "boolean") return undefined;
  if (!allowed && typeof reason !== "string") return undefined;
  if (cycle !== undefined && cycle !== null && !isCycle(cycle)) return undefined;
  return { ...UNKNOWN, ...body } as unknown as Decision;
}

/** The decision when the meter of `metric` cannot be asked. */
export function unavailableDecision(metric: string, policy: UnavailablePolicy): Decision {
  return { ...UNKNOWN, metric, allowed: policy === "open", enforced: false, reason: "meter_unavailable" };
}

const UNKNOWN = {
  enforcement: null,
  limit: null,
  carried: null,
  used: null,
  reserved: null,
  remaining: null,
  overage: null,
  over_limit: false,
  cycle: null,
} as const;

function isCycle(value: unknown): boolean {
  return isObject(value) && typeof value["start"] === "string" && typeof value["end"] === "string";
}
