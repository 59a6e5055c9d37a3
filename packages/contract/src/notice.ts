/** What people are told of, as it is kept: the body of a notice, by its kind. None changes once it is written. */

/** A customer came to a threshold. */
export interface CrossingBody {
  readonly threshold_id: string;
  /** Counts the threshold's changes. */
  readonly version: number;
  readonly name: string | null;
  readonly operator: ">=" | "<=";
  /** A quantity, or per cent with the sign. */
  readonly line: string;
  /** The slug of then. */
  readonly metric: string;
  /** Of whose usage: `null` or absent: all of it. */
  readonly segment?: string | null;
  /** Of an allowance `per` label: whose; "" or absent: all labels together. */
  readonly label?: string;
  /** What was used: an exact decimal. */
  readonly value: string;
  /** What was used before; absent in what was told before this was kept. */
  readonly previous_value?: string;
  /** What the cycle had; `null` where nothing is limited. */
  readonly allowance: string | null;
  /** RFC 3339; the end is exclusive. */
  readonly cycle: { readonly start: string; readonly end: string };
}

/** Somebody wants to see whether a destination works. */
export interface TestBody {
  readonly destination: NamedDestination;
}

/** Nothing more is sent to a destination until a person enables it again. */
export interface DisabledBody {
  readonly destination: NamedDestination;
  readonly reason: "gone" | "failing";
  /** Since when every attempt has failed, RFC 3339. */
  readonly failing_since: string;
}

interface NamedDestination {
  readonly id: string;
  readonly name: string;
}
