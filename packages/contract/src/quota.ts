import type { BalanceView, Exact, Metric, Price, Terms } from "@tidemark/core";
import type { CycleInterval } from "@tidemark/core/cycle";
import type { DecideProblem, DecideReply, DecideRequest, RememberedDecision } from "./decision.ts";
import type { MeterAddress } from "./meter.ts";

/** What happens to a decision whose meter cannot be reached. */
export type Unavailable = "open" | "closed";

/** Tells when usage crosses a line; never stops. */
export interface Threshold {
  readonly id: string;
  /** Counts its changes: each can be crossed once more. */
  readonly version: number;
  readonly name: string | null;
  readonly operator: ">=" | "<=";
  /** In the metric's smallest unit, or per cent of the allowance. */
  readonly line: { readonly units: Exact } | { readonly percent: number };
  /** Only what is in this segment of the metric, by its name; `null`: everything. */
  readonly segment: string | null;
  /** `per_cycle`: told once in a cycle. `per_crossing`: each time, once usage has come back behind the line. */
  readonly repeat: "per_cycle" | "per_crossing";
  /** How far behind the line it has to come for that: units as `line`, or points of per cent. */
  readonly hysteresis: Exact;
}

/** A metric as a meter has to know it to decide and to count decisions. */
export interface MeteredMetric {
  /** The version that is in force, and what a product that is sold now keeps of its metric besides. */
  readonly metric: Metric & { readonly allow_negative?: boolean };
  readonly thresholds: readonly Threshold[];
  /** The cycles of thresholds where the customer has none: the metric's default interval in the project's zone. */
  readonly interval: CycleInterval & { readonly time_zone: string };
  /** Of the catalog that this comes from. */
  readonly catalog_version: number;
}

/** What one customer may use of one metric, or is charged for: an allowance, or part of a subscription. */
export interface BalanceDefinition {
  /** `alw_…` or `sub_…`. */
  readonly id: string;
  readonly metric_id: string;
  readonly terms: Terms;
  readonly unavailable: Unavailable;
  /** What was sold; `null` for an allowance without a product. */
  readonly product: ProductTerms | null;
}

/** What a customer's subscription keeps of its product: a product that changes later changes later subscriptions. */
export interface ProductTerms {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly prices: readonly Price[];
  /** Of usage that goes on: whether a cycle is charged for the total, or for what it added. */
  readonly charge_on: "total" | "delta";
  /** Segments that prices name, by their bit. */
  readonly segments: readonly string[];
  /** Whether usage below 0 is charged as it is, and not as 0; where absent, the metric says. */
  readonly allow_negative?: boolean;
}

/** Terms that a person sets. */
export type DefineRequest = MeterAddress &
  (
    | {
        readonly kind: "set";
        readonly definition: BalanceDefinition;
        readonly metered: MeteredMetric;
        readonly mode: "keep" | "restart" | "prorate";
        /** The balance that this takes the place of, buckets and all; `null`: the one with the same id, or none. */
        readonly replaces: string | null;
        /** Whether a definition that is there already stays as it is. */
        readonly only_new?: boolean;
        /** What was there when the change was made up; absent: whatever is. */
        readonly expected?: BalanceDefinition;
      }
    | {
        readonly kind: "grant";
        readonly metric_id: string;
        /** Granting the same one again changes nothing. */
        readonly id: string;
        /** Below 0 to take units away. */
        readonly units: Exact;
        readonly expires_at: number | null;
        readonly reason: string;
      }
    | { readonly kind: "end"; readonly id: string }
  );

export type DefineReply =
  | { readonly kind: "done"; readonly balance: StoredBalance; readonly version: number }
  | DecideProblem;

/** A balance as a meter keeps it. */
export interface StoredBalance {
  readonly definition: BalanceDefinition;
  /** What the cycle before was run under, while it can change. */
  readonly previous_definition: BalanceDefinition | null;
  readonly metric: Pick<Metric, "id" | "slug" | "decimal_places" | "aggregation">;
  /** Of a limit `per` label: whose. */
  readonly label: string;
  readonly created_at: number;
  readonly ended_at: number | null;
  readonly view: BalanceView;
  /** A `BalanceState` as text; see `balance-text.ts`. */
  readonly state: string;
  readonly holds: readonly StoredHold[];
  /** What people granted or took away, newest first. */
  readonly grants: readonly GrantNote[];
}

/** Units that a person granted, or took away. */
export interface GrantNote {
  readonly id: string;
  /** A decimal. */
  readonly units: string;
  readonly expires_at: number | null;
  readonly reason: string;
  /** Milliseconds. */
  readonly at: number;
}

export interface StoredHold {
  readonly id: string;
  readonly kind: "reservation" | "lease";
  readonly holder: string | null;
  readonly units: Exact;
  readonly expires_at: number;
}

export interface BalancesReply {
  /** Milliseconds. */
  readonly as_of: number;
  /** Whether the meter has ever counted or been told anything. */
  readonly is_known: boolean;
  readonly balances: readonly StoredBalance[];
}

/** A cycle that is final: a `ClosedCycle` as text, newest first. */
export interface FinalCycle {
  readonly balance_id: string;
  readonly label: string;
  readonly body: string;
  /** The definition it was closed under. */
  readonly definition: BalanceDefinition;
}

export interface CyclesRequest extends MeterAddress {
  /** `null`: of all. */
  readonly balance_id: string | null;
  /** Cycles that ended before this, in milliseconds. */
  readonly before: number;
  readonly limit: number;
}

export interface DecisionsRequest extends MeterAddress {
  readonly metric: string;
  /** Milliseconds: the latest ones until here. */
  readonly until: number;
  readonly limit: number;
}

/** What the Workers call on a customer's meter for its quotas. */
export interface QuotaRpc {
  /** One decision; those that come at the same time are committed together. */
  decide(request: DecideRequest): Promise<DecideReply>;
  /** Sets what a person defined; it holds from the next decision on. */
  define(request: DefineRequest): Promise<DefineReply>;
  /** Tells the meter how metrics are defined now that it asked for, as of a catalog; those that are left out are gone. */
  learn(
    address: MeterAddress,
    told: readonly MeteredMetric[],
    asked?: readonly string[],
    catalogVersion?: number,
  ): Promise<void>;
  /** Every balance as it stands. */
  balances(address: MeterAddress): Promise<BalancesReply>;
  /** Cycles that are final. */
  cycles(request: CyclesRequest): Promise<readonly FinalCycle[]>;
  /** Remembered decisions, newest first. */
  decisions(request: DecisionsRequest): Promise<readonly RememberedDecision[]>;
}
