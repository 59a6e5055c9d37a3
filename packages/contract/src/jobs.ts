import type { ArchiveQuestion, ArchiveResult } from "./query-schema.ts";

/**
 * What a job does: count a metric in the past, count everything anew, compare and change nothing, or answer a
 * question over the archive.
 */
export type JobKind = "backfill" | "rebuild" | "verify" | "query";

export type JobState = "waiting" | "running" | "done" | "failed";

/** What to recount. */
export interface JobParams {
  /** Only this metric's current version; `null`: every metric. */
  readonly metric: { readonly id: string; readonly slug: string; readonly version: number } | null;
  /** Only this customer; `null`: all. */
  readonly customer_id: string | null;
  /** UTC days, both ends included. */
  readonly from_day: number;
  readonly to_day: number;
  /** Of a metric's first version: from when on limits and charges follow what is counted, in milliseconds; absent or `null`: not at all. */
  readonly limits_from?: number | null;
  /** Of a query: what is asked. */
  readonly query?: ArchiveQuery;
}

/** A question over the archive, with its range as it was when it was asked. */
export interface ArchiveQuery {
  readonly question: ArchiveQuestion;
  /** Milliseconds, half-open. */
  readonly from: number;
  readonly to: number;
  /** In whose days events are grouped. */
  readonly time_zone: string;
}

/** Something that two of the three, archive, meter and database, do not agree on. */
export interface JobDifference {
  readonly customer_id: string | null;
  /** The counter. */
  readonly metric_id: string | null;
  readonly day: number | null;
  /** What disagrees with the meter. */
  readonly with: "archive" | "database";
  readonly detail: string;
}

/** Where a job is and what it found so far: enough to go on from there after any interruption. */
export interface JobProgress {
  /** Of the metrics that the job began with; `null` before its first step. */
  readonly catalog_version: number | null;
  /** The archive is read again, from when the job began, until no customer is new. */
  readonly pass: number;
  readonly phase: "counting" | "comparing" | "closing";
  /** The last archive object that is done; while a query counts what it has to read, that is counted. */
  readonly cursor: string | null;
  /** Archive objects read in the first pass, and how many there were when the job began. */
  readonly objects: number;
  readonly objects_total: number;
  /** Events in range that were read in the first pass. */
  readonly events: number;
  /** Events in the archive that no meter has counted: on their way, or in quarantine. */
  readonly uncounted: number;
  /** Customers whose meters have been compared. */
  readonly customers: number;
  /** Days that were compared. */
  readonly days: number;
  /** Rows that meters have not sent to the database yet. */
  readonly pending: number;
  readonly difference_count: number;
  /** The first of them. */
  readonly differences: readonly JobDifference[];
  /** Attempts that failed, one after the other, and why the last one did. */
  readonly failures: number;
  readonly error: string | null;
  /** It failed for good, and only closes the books that it opened. */
  readonly is_abandoned: boolean;
  /** Of a query, from its first step on. */
  readonly query?: QueryProgress;
}

/** How far a question over the archive is. */
export interface QueryProgress {
  /** Under what key of the archive's bucket the figures so far are; `null` before there are. */
  readonly state_key: string | null;
  /** The ones before: nobody needs them once the next are known. */
  readonly stale_key: string | null;
  readonly matched: number;
  readonly result: ArchiveResult | null;
}

export const FIRST_STEP: JobProgress = {
  catalog_version: null,
  pass: 1,
  phase: "counting",
  cursor: null,
  objects: 0,
  objects_total: 0,
  events: 0,
  uncounted: 0,
  customers: 0,
  days: 0,
  pending: 0,
  difference_count: 0,
  differences: [],
  failures: 0,
  error: null,
  is_abandoned: false,
};

/** The job queue: go on with a job. */
export interface JobMessage {
  readonly project_id: string;
  readonly job_id: string;
}
