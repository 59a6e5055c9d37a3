import type { UtcInterval } from "./utc-cycles.ts";

/** What a history of a balance begins with. */
export interface HistoryTerms {
  readonly base: bigint | null;
  readonly enforcement: "hard" | "soft" | "monitor";
  readonly carryover: {
    readonly cap: { readonly units: bigint } | { readonly percent: number } | null;
    readonly expires_after: number | null;
    readonly overage: "forgive" | "debit";
  } | null;
  readonly late: "adjust" | "current" | "reject";
  readonly grace_ms: number;
  readonly interval: UtcInterval;
  readonly anchor: number;
}

/** What is done to a balance, with absolute times that never go back. */
export type Command = { readonly at: number } & (
  | { readonly kind: "look" }
  | { readonly kind: "consume"; readonly units: bigint }
  | { readonly kind: "fact"; readonly units: bigint; readonly instant: number }
  | {
      readonly kind: "hold";
      readonly id: string;
      readonly units: bigint;
      readonly on_expiry: "release" | "charge" | "stay";
      readonly expires_at: number;
    }
  | { readonly kind: "extend"; readonly id: string; readonly units: bigint }
  | { readonly kind: "commit"; readonly id: string; readonly units: bigint }
  | { readonly kind: "release"; readonly id: string }
  | { readonly kind: "grant"; readonly id: string; readonly units: bigint; readonly expires_at: number | null }
  | { readonly kind: "deduct"; readonly units: bigint }
  | { readonly kind: "change"; readonly base: bigint | null; readonly mode: "keep" | "prorate" | "restart" }
  | { readonly kind: "end" }
);

/** Where a balance stands after a command. */
export interface Standing {
  readonly used: bigint;
  readonly limit: bigint | null;
  readonly remaining: bigint | null;
  readonly reserved: bigint;
  readonly overage: bigint;
  readonly granted: bigint;
  readonly burned: bigint;
  readonly expired: bigint;
  readonly forfeited: bigint;
  readonly repaid: bigint;
  readonly held: bigint;
}
