import type { UsageDay } from "@tidemark/core";

/** Every call names whose meter it wants; an object refuses a call that names another. */
export interface MeterAddress {
  readonly project_id: string;
  readonly customer_id: string;
}

/** A counter of the customer: one metric and one value per label. */
export interface SeriesRef {
  readonly metric_id: string;
  readonly labels: readonly string[];
}

/**
 * A batch of one customer's events, in columns: event `i` has the words `3i … 3i+2` of `fingerprints`
 * and the instant `i`; match `j` says that event `matches[2j]` adds `values[j]` to `series[matches[2j+1]]`.
 */
export interface ApplyRequest extends MeterAddress {
  readonly fingerprints: Uint32Array;
  /** Milliseconds. */
  readonly instants: Float64Array;
  readonly series: readonly SeriesRef[];
  readonly matches: Uint32Array;
  /** Whole numbers of the metric's smallest unit. `NaN`: the event had no usable value. `Infinity`: look in `large`. */
  readonly values: Float64Array;
  /** Values beyond 2^53, by match. */
  readonly large: readonly (readonly [match: number, value: bigint])[];
}

export interface ApplyReply {
  /** Events that were new. */
  readonly fresh: number;
  /** Events that had been counted before, with the same content. */
  readonly duplicates: number;
  /** Indexes of events whose id is known with other content. */
  readonly conflicts: readonly number[];
  /** Indexes of events older than the meter's memory. */
  readonly forgotten: readonly number[];
  /** True for the meter's first call, and until its answer can have been lost: registering twice is harmless. */
  readonly created: boolean;
  /** A day that waits to be flushed, when this call, or the one it repeats, made it wait. */
  readonly watch: {
    readonly metric_id: string;
    readonly day: number;
    readonly version: number;
    readonly due_at: number;
  } | null;
}

export interface ReadRequest extends MeterAddress {
  readonly metric_ids: readonly string[];
  /** First and last UTC day, as days since 1970-01-01. */
  readonly from_day: number;
  readonly to_day: number;
}

export interface ReadReply {
  /** Milliseconds. */
  readonly as_of: number;
  readonly days: readonly UsageDay[];
}

/** What the Workers call on a customer's meter. */
export interface MeterRpc {
  /** Counts what is new, in one transaction. */
  apply(request: ApplyRequest): Promise<ApplyReply>;
  /** The customer's days in a range, live. */
  read(request: ReadRequest): Promise<ReadReply>;
  /** Sends to D1 what an alarm should have sent. */
  flush(address: MeterAddress): Promise<void>;
}

/**
 * The name of a customer's object: length-prefixed, so that no two pairs share one whatever characters
 * they hold. `idFromName` hashes it (SHA-256), which bounds its length.
 */
export function meterName(projectId: string, customerId: string): string {
  return `${projectId.length}:${projectId}${customerId}`;
}
