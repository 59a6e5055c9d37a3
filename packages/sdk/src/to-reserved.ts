import { type Decision, toDecision } from "./decision.ts";
import { isObject } from "./is-object.ts";

/** What is held. */
export interface ReservationGrant {
  /** The id under which Tidemark knows it. */
  readonly id: string;
  readonly granted: string;
  readonly expires_at: string;
}

/** A decision on a reservation, and what is held; `null` when it was denied, or admitted without a meter. */
export interface Reserved {
  readonly decision: Decision;
  readonly grant: ReservationGrant | null;
}

/**
 * Reads the answer to a reservation.
 *
 * @returns `undefined` when it is not one.
 */
export function toReserved(body: unknown): Reserved | undefined {
  const decision = toDecision(body);
  if (decision === undefined || !isObject(body)) return undefined;
  const { id, granted, expires_at: expiresAt } = body;
  // Denied, or admitted by the limit's own policy while its meter is away: either way nothing is held.
  if (!decision.allowed || (!decision.enforced && id === undefined)) return { decision, grant: null };
  if (typeof id !== "string" || typeof granted !== "string" || typeof expiresAt !== "string") return undefined;
  return { decision, grant: { id, granted, expires_at: expiresAt } };
}
