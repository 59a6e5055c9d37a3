import { addExact, type Exact } from "./exact.ts";

/** Units that can be used, with where they come from. */
export interface Bucket {
  /** `base:12` of cycle 12; what is left of it carries the name on. Others have their own. */
  readonly id: string;
  readonly kind: "base" | "carried" | "top_up" | "adjustment";
  /** The cycle, by its index, that granted the units. */
  readonly origin: number;
  /** The last cycle in which carried units can be used; `null`: no cycle ends them. */
  readonly last_cycle: number | null;
  /** From when on they cannot be used, in milliseconds; `null`: there is no such time. */
  readonly expires_at: number | null;
  /** Why a person granted them. */
  readonly reason: string | null;
  /** What the bucket had at the cycle's start, or came with. */
  units: Exact;
  /** What can be used of it. */
  left: Exact;
  /** What reservations and leases hold of it. */
  held: Exact;
  /** What ended of it in this cycle unused: it expired, or the base was lowered. */
  lost: Exact;
}

/** Units of a bucket; what no bucket paid for stands under `OVERAGE`. */
export type Part = [bucket: string, units: Exact];

/** The name under which units stand that were used though no bucket had them. */
export const OVERAGE = "";

/** Orders buckets as they are burned: earliest expiry, then oldest origin, the base last. */
export function inBurnOrder(a: Bucket, b: Bucket): number {
  return rank(a) - rank(b) || expiryOf(a) - expiryOf(b) || a.origin - b.origin || (a.id < b.id ? -1 : 1);
}

function rank({ kind }: Bucket): number {
  return kind === "base" ? 1 : 0;
}

function expiryOf({ expires_at }: Bucket): number {
  return expires_at ?? Number.MAX_SAFE_INTEGER;
}

/** What some buckets have left. */
export function sumLeft(buckets: readonly Bucket[]): Exact {
  return buckets.reduce<Exact>((sum, { left }) => addExact(sum, left), 0);
}

export function sumParts(parts: readonly Part[]): Exact {
  return parts.reduce<Exact>((sum, [, units]) => addExact(sum, units), 0);
}

/** `a − b`. */
export function subtract(a: Exact, b: Exact): Exact {
  return addExact(a, -b);
}

export function lesser(a: Exact, b: Exact): Exact {
  return a < b ? a : b;
}

export function greater(a: Exact, b: Exact): Exact {
  return a > b ? a : b;
}
