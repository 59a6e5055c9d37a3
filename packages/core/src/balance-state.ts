import type { CycleState } from "./balance-cycle.ts";
import type { Schedule } from "./cycle.ts";
import type { Exact } from "./exact.ts";
import type { Hold } from "./hold.ts";
import type { Terms } from "./terms.ts";

/** Sums over the life of a balance. Always: granted = burned + expired + forfeited + repaid + held. */
export interface Tally {
  readonly granted: Exact;
  readonly burned: Exact;
  readonly expired: Exact;
  readonly forfeited: Exact;
  /** Of bases, for overage of earlier cycles. */
  readonly repaid: Exact;
  /** What can still be used, and what is reserved. */
  readonly held: Exact;
}

/** Where a balance stands. */
export interface BalanceView {
  /** What the cycle grants; `null`: nothing is limited. */
  readonly limit: Exact | null;
  readonly carried: Exact;
  readonly used: Exact;
  readonly reserved: Exact;
  /** What can still be used, never below 0; `null`: nothing is limited. */
  readonly remaining: Exact | null;
  readonly overage: Exact;
  /** In milliseconds, half-open. */
  readonly cycle: { readonly start: number; readonly end: number };
}

/** What a fact did. `ignored`: it happened before the balance began. */
export type FactOutcome = "counted" | "late" | "rejected" | "ignored";

/** Everything of a balance that is kept; see `balance-text.ts`. */
export interface BalanceState {
  terms: Terms;
  /** Begins with the next cycle. */
  next_schedule: Schedule | null;
  /** Those that were followed before, each until an instant, oldest first. */
  past_schedules: readonly { readonly until: number; readonly schedule: Schedule }[];
  /** When the first cycle began. */
  readonly since: number;
  current: CycleState;
  /** The cycle before, while it can change. */
  previous: CycleState | null;
  /** Facts that happened after the current cycle by the sender's clock. */
  ahead: CycleState | null;
  holds: Map<string, Hold>;
  /** Of the cycles that are final. */
  totals: Omit<Tally, "held">;
  /** Usage that came after its cycle was final, where late facts are rejected. */
  rejected_late: Exact;
  /** When it was cancelled. */
  ended_at: number | null;
  /** Whether it was, and nothing can change any more. */
  is_final: boolean;
}
