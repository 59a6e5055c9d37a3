import type { Enforcement } from "@tidemark/core";
import type { MeterAddress } from "./meter.ts";
import type { ProblemCode } from "./problems.ts";
import type { Unavailable } from "./quota.ts";

/** Why something was not allowed. */
export type DenialReason = "limit_reached" | "unknown_customer" | "no_allowance" | "meter_unavailable";

/** A threshold that a call crossed. */
export interface ThresholdCrossing {
  readonly id: string;
  readonly threshold_id: string;
  readonly name: string | null;
  readonly operator: ">=" | "<=";
  readonly value: string;
}

/** The answer to a check or consume; quantities are exact decimals. */
export interface Decision {
  readonly allowed: boolean;
  readonly metric: string;
  readonly reason?: DenialReason;
  readonly enforcement: Enforcement | null;
  /** False when nobody decided: the meter could not be reached, and the limit says `open`. */
  readonly enforced: boolean;
  readonly limit: string | null;
  readonly carried: string;
  readonly used: string;
  readonly reserved: string;
  readonly remaining: string | null;
  readonly overage: string;
  readonly over_limit: boolean;
  readonly cycle: { readonly start: string; readonly end: string } | null;
  readonly duplicate?: true;
  readonly thresholds_crossed?: readonly ThresholdCrossing[];
  /** Each metric's, where several were asked for. */
  readonly items?: readonly Decision[];
}

/** An amount as the request has it: a JSON number or a decimal's text. */
export type RawAmount = number | string;

export interface DecisionItem {
  /** A slug that the metric has. */
  readonly metric: string;
  readonly amount: RawAmount;
}

interface Deciding extends MeterAddress {
  /** Of the project's metrics as the caller knows them; the meter asks for them when its own are older. */
  readonly catalog_version: number;
}

/** Everything that is asked of a meter before, while or after something is used. */
export type DecideRequest =
  | (Deciding & {
      readonly kind: "check" | "consume";
      readonly items: readonly DecisionItem[];
      /** Repeats with the same id get the first answer. */
      readonly id: string;
      /** Whether the caller chose the id, and may ask again with it: otherwise a denial need not be remembered. */
      readonly is_named: boolean;
      readonly properties: Readonly<Record<string, unknown>> | null;
      /** The id of a consume that a negative amount gives back. */
      readonly returns: string | null;
      /** False for what has been admitted already, by somebody who could not ask: it counts whether it fits or not. */
      readonly enforce: boolean;
    })
  | (Deciding & {
      readonly kind: "reserve";
      readonly item: DecisionItem;
      /** Names the reservation; an event with the same id completes it. */
      readonly id: string;
      /** See consume; the caller has chosen the id unless it says otherwise. */
      readonly is_named?: boolean;
      readonly properties?: Readonly<Record<string, unknown>> | null;
      readonly ttl_ms: number;
      readonly on_expiry: "release" | "charge";
    })
  | (Deciding & {
      readonly kind: "commit";
      readonly reservation: string;
      /** `null`: all that is reserved. */
      readonly amount: RawAmount | null;
      readonly properties: Readonly<Record<string, unknown>> | null;
      readonly on_excess: "reject" | "cap" | "overflow";
    })
  | (Deciding & { readonly kind: "release"; readonly reservation: string })
  | (Deciding & { readonly kind: "extend"; readonly reservation: string; readonly ttl_ms: number })
  | (Deciding & {
      readonly kind: "lease";
      readonly metric: string;
      readonly want: RawAmount;
      readonly holder: string;
      readonly id: string;
      readonly ttl_ms: number;
      /** Give back what nobody has reported so long after the expiry; `null`: it counts as used. */
      readonly return_after_ms: number | null;
    })
  | (Deciding & {
      readonly kind: "report";
      readonly lease: string;
      /** Which grant is reported; `null`: the latest. */
      readonly sequence: number | null;
      /** Tells a report that names no grant from the next one; `null`: it cannot be told, and counts again. */
      readonly key?: string | null;
      /** Used since the report before. */
      readonly used: RawAmount;
      readonly want: RawAmount | null;
      readonly ttl_ms: number | null;
    });

/** A reservation as it is answered. */
export interface ReservationAnswer extends Decision {
  readonly id: string;
  readonly granted: string;
  /** `null` when nothing was reserved. */
  readonly expires_at: string | null;
  /** After a commit or release. */
  readonly state?: "held" | "committed" | "released" | "expired";
  readonly committed?: string;
  readonly released?: string;
}

/** A lease as it is answered. */
export interface LeaseAnswer {
  readonly id: string;
  readonly metric: string;
  readonly holder: string;
  /** Units that the holder has now. */
  readonly granted: string;
  /** Counts the grants: a report names the one that it is about. */
  readonly sequence: number;
  readonly expires_at: string;
  /** Life left at the time of the answer, so that the holder's clock does not matter. */
  readonly ttl_ms: number;
  /** What is left in the meter for everybody else. */
  readonly remaining: string;
  readonly reason?: DenialReason;
  /** Units may come back that were used and never reported: the sum of decisions may pass the limit. */
  readonly may_overshoot?: true;
  readonly duplicate?: true;
}

/** What went wrong with a decision: the caller's problem, not the meter's. */
export interface DecideProblem {
  readonly kind: "problem";
  readonly code: ProblemCode;
  readonly detail: string;
  readonly pointer?: string;
}

export type DecideReply = (
  | { readonly kind: "decision"; readonly answer: Decision }
  | { readonly kind: "reservation"; readonly answer: ReservationAnswer }
  | { readonly kind: "lease"; readonly answer: LeaseAnswer }
  | DecideProblem
) & {
  /** The meter's metrics are older than the caller's: tell it (`learn`). */
  readonly wants_metrics?: readonly string[];
  /** Nobody has ever set anything for this customer: the project's default product is to be tried. */
  readonly never_set?: true;
  /** Of the metrics that were asked for, by slug; for when the meter cannot be reached next time. */
  readonly unavailable?: Unavailable;
};

/** A decision as the meter remembers it. */
export interface RememberedDecision {
  readonly id: string | null;
  readonly kind: "consume" | "reserve" | "commit" | "release" | "report";
  /** Milliseconds. */
  readonly at: number;
  readonly amounts: readonly { readonly metric: string; readonly units: string }[];
  readonly answer: Decision;
  /** Who paid, by bucket. */
  readonly paid: readonly (readonly [bucket: string, units: string])[];
}
