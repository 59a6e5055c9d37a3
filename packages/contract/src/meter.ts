import type { MeteredMetric, QuotaRpc } from "./quota.ts";
import type { Aggregation, RejectionCode, UsageDay, UsageEvent } from "@tidemark/core";

/** Every call names whose meter it wants; an object refuses a call that names another. */
export interface MeterAddress {
  readonly project_id: string;
  readonly customer_id: string;
}

/** A counter of the customer: one version of a metric, one value per label, one set of segments. */
export interface SeriesRef {
  /** The counter's id. */
  readonly metric_id: string;
  /** The metric's id, where the counter has another. */
  readonly of?: string;
  readonly aggregation: Aggregation;
  readonly labels: readonly string[];
  /** Bit `i`: in segment `i`. */
  readonly segments: number;
}

/**
 * A batch of one customer's events, in columns: event `i` has the words `3i … 3i+2` of `fingerprints`
 * and the instant `i`; match `j` says that event `matches[2j]` adds `values[j]` to `series[matches[2j+1]]`.
 */
export interface EventColumns {
  readonly fingerprints: Uint32Array;
  /** Milliseconds. */
  readonly instants: Float64Array;
  readonly series: readonly SeriesRef[];
  readonly matches: Uint32Array;
  /**
   * Whole numbers of the metric's smallest unit; for `unique` an id's 52-bit hash. `NaN`: the event had no
   * usable value, look in `rejected`. `Infinity`: look in `large`.
   */
  readonly values: Float64Array;
  /** Values beyond 2^53, by match. */
  readonly large: readonly (readonly [match: number, value: bigint])[];
  /** Why events had no usable value, by match. */
  readonly rejected: readonly RejectedMatch[];
}

export interface RejectedMatch {
  readonly match: number;
  readonly code: RejectionCode;
  readonly event_id: string;
  /** The text that was found in place of a value. */
  readonly found: string;
}

/** An event as people look at it: what the metrics it matched expose. */
export interface RecentEvent {
  readonly id: string;
  readonly event: string;
  /** Milliseconds. */
  readonly at: number;
  /** Counters that it counted in. */
  readonly counted: readonly string[];
  /** Counters that rejected it. */
  readonly rejected: readonly string[];
  /** Exposed properties as text, by path. */
  readonly properties: Readonly<Record<string, string>>;
}

export interface ApplyRequest extends MeterAddress, EventColumns {
  /** Of the metrics that the events were evaluated with. */
  readonly catalog_version: number;
  /** Metrics of these events that thresholds look at: a meter that has not learnt of this catalog's counts nothing, and says so. */
  readonly watched?: readonly string[];
  /** What it said it had not learnt, with which it counts. */
  readonly learns?: readonly MeteredMetric[];
  /** Consumes that were admitted while the meter could not be reached. */
  readonly consumed?: readonly UnenforcedConsume[];
  /** The last of these events, by index, each a `RecentEvent` as JSON: one text crosses cheaper than an object. */
  readonly recent: readonly (readonly [event: number, shown: string])[];
}

/** See `UsageEvent`. */
type ConsumedItem = NonNullable<UsageEvent["consumed"]>[number];

/** A consume that was admitted without its meter, and came through the queue. */
export interface UnenforcedConsume {
  readonly id: string;
  /** Milliseconds. */
  readonly at: number;
  readonly items: readonly ConsumedItem[];
  readonly properties: Readonly<Record<string, unknown>> | null;
}

export interface ApplyReply {
  /** The events were evaluated with metrics too old for a recount that is under way: nothing was done. */
  readonly stale: boolean;
  /** Watched metrics that it has to learn first; where there are some, nothing was done. */
  readonly unlearned: readonly string[];
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
  /** The meter's metrics are older than these: tell it. */
  readonly wants_metrics: readonly string[];
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

/** What is recounted from the archive. */
export interface RecountScope {
  readonly job_id: string;
  /** The counters to recount. */
  readonly counters: readonly string[];
  /** UTC days, both ends included. */
  readonly from_day: number;
  readonly to_day: number;
  /** Of the metrics that this job began with: events evaluated with older ones are refused from now on. */
  readonly catalog_version: number;
  /** Whether the archive is trusted more than the meter, which may have lost its memory. */
  readonly trusts_archive: boolean;
  /** See `JobParams`. */
  readonly limits_from?: number | null;
  /** Whether a meter that has counted with these metrics from its first event may be left out. */
  readonly may_skip: boolean;
}

/** Events from the archive, for a second set of books. */
export interface RecountRequest extends MeterAddress, EventColumns {
  readonly scope: RecountScope;
  /** Whether those of these events that the meter has no memory of are taken as well. */
  readonly trusts_archive: boolean;
}

export interface RecountReply {
  /**
   * `opened`: this call opened the books, so that objects archived meanwhile have to be read again.
   * `needless`: the meter was made after the job began and has counted with its metrics from the first event.
   * `closed`: this job has closed them.
   */
  readonly books: "opened" | "open" | "needless" | "closed";
  /** Events that the meter has not counted: on their way, or in quarantine. */
  readonly uncounted: number;
}

/** One day that the books and the meter do not agree on. */
export interface DayDifference {
  readonly metric_id: string;
  readonly day: number;
  readonly meter: string;
  readonly archive: string;
}

/** A day of the meter, told apart by what it says. */
export interface DayDigest {
  readonly metric_id: string;
  readonly day: number;
  readonly version: number;
  /** A 52-bit hash of what D1 should hold. */
  readonly digest: number;
}

export interface CompareReply {
  /** Whether this job's books are open here. */
  readonly is_open: boolean;
  /** Days compared. */
  readonly days: number;
  readonly differences: readonly DayDifference[];
  /** All of them; `differences` lists the first. */
  readonly difference_count: number;
  readonly digests: readonly DayDigest[];
}

/** What the Workers call on a customer's meter. */
export interface MeterRpc extends QuotaRpc {
  /** Counts what is new, in one transaction. */
  apply(request: ApplyRequest): Promise<ApplyReply>;
  /** The customer's days in a range, live. */
  read(request: ReadRequest): Promise<ReadReply>;
  /** The customer's latest events, newest first. */
  recent(address: MeterAddress): Promise<readonly RecentEvent[]>;
  /** Sends to D1 what an alarm should have sent. */
  flush(address: MeterAddress): Promise<void>;
  /** Adds events of the archive to a job's books, which it opens. */
  recount(request: RecountRequest): Promise<RecountReply>;
  /** Holds a job's books against the meter's. Changes nothing. */
  compare(address: MeterAddress, jobId: string): Promise<CompareReply>;
  /** Closes a job's books, and with `replace` puts their days in the place of the meter's. Answers what then waits to be flushed. */
  closeBooks(address: MeterAddress, jobId: string, replace: boolean): Promise<ApplyReply["watch"]>;
}

/** Where a version's decisions are counted: apart from events, because the archive has only these. */
export function decidedCounter(counterId: string): string {
  return `${counterId}:decided`;
}

/**
 * The name of a customer's object: length-prefixed, so that no two pairs share one whatever characters
 * they hold. `idFromName` hashes it (SHA-256), which bounds its length.
 */
export function meterName(projectId: string, customerId: string): string {
  return `${projectId.length}:${projectId}${customerId}`;
}
