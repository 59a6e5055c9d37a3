import type { MeterAddress, RecentEvent, RecountScope } from "@tidemark/contract";
import { MetricDay, type UsageDay } from "@tidemark/core";
import { toBlob } from "./blob.ts";
import { dayKey, type Days } from "./books.ts";
import { EMPTY_ID_STATE, type IdState } from "./id-memory.ts";
import { type LoadedQuotas, NO_QUOTAS } from "./quota/quotas.ts";

/** What the meter knows of its flushes; times in milliseconds. */
export interface FlushState {
  /** When the alarm is set to send what has changed, or `null`. */
  due_at: number | null;
  /** Changes up to this version have been handed to the rollup queue. */
  sent_version: number;
  /** When the last flush was sent or due. */
  last_at: number;
  /** When the present spell of activity began. */
  busy_since: number;
  /** The last change. */
  active_at: number;
  /** Whether a day left the head before it was sent. */
  rests_unsent: boolean;
}

/** The state that every call reads and writes, held in one row. */
export interface Head {
  readonly address: MeterAddress;
  readonly created_at: number;
  /** Of the metrics that the first events were evaluated with; 0 before. */
  created_catalog: number;
  /** Events evaluated with older metrics are refused: something is, or was, recounted with these. */
  required_catalog: number;
  /** The last job whose books were closed here: a late call of it opens no new ones. */
  closed_job: string | null;
  /** The version of the latest change: at least one more than the one before and never behind the clock, so that it also outgrows those of a restored copy. */
  version: number;
  readonly flush: FlushState;
  ids: IdState;
  /** Days in use. What is not here is in the table `days`. */
  readonly days: Days;
  /** The latest events, oldest first, each as JSON. */
  recent: readonly string[];
}

/** A recount's part of the row. */
export interface RecountState {
  readonly scope: RecountScope;
  /** Events that the meter had not counted when the archive named them. */
  uncounted: number;
  ids: IdState;
  readonly days: Days;
}

/** Everything in the row. */
export interface Loaded {
  readonly head: Head;
  readonly tail: Uint32Array;
  readonly recount: RecountState | undefined;
  readonly recountTail: Uint32Array;
  readonly quotas: LoadedQuotas;
}

type Stored<State extends { readonly days: Days }> = Omit<State, "days"> & { readonly days: readonly UsageDay[] };
type StoredHead = Omit<Stored<Head>, "recent"> & { readonly recent?: readonly RecentEvent[] };

/** The head of a meter that has never been called. */
export function newHead({ project_id, customer_id }: MeterAddress, now: number): Head {
  return {
    address: { project_id, customer_id },
    created_at: now,
    created_catalog: 0,
    required_catalog: 0,
    closed_job: null,
    version: 0,
    flush: { due_at: null, sent_version: 0, last_at: 0, busy_since: now, active_at: now, rests_unsent: false },
    ids: EMPTY_ID_STATE,
    days: new Map(),
    recent: [],
  };
}

/** Reads the row, or `undefined` for a meter that has never been called. */
export function loadHead(sql: SqlStorage): Loaded | undefined {
  const [row] = sql
    .exec<{
      state: string;
      tail: ArrayBuffer;
      books: string | null;
      books_tail: ArrayBuffer | null;
      quotas: string | null;
      decisions: string | null;
      decision_ids: ArrayBuffer | null;
      members: ArrayBuffer | null;
    }>("SELECT state, tail, books, books_tail, quotas, decisions, decision_ids, members FROM head WHERE id = 1")
    .toArray();
  if (row === undefined) return undefined;
  const stored = JSON.parse(row.state) as StoredHead;
  const recent = (stored.recent ?? []).map((event) => JSON.stringify(event));
  // A meter from before recounts knows none of these.
  const head: Head = { ...NO_CATALOG, ...stored, days: readDays(stored.days), recent };
  return {
    head,
    tail: new Uint32Array(row.tail),
    recount: row.books === null ? undefined : readRecount(row.books),
    recountTail: new Uint32Array(row.books_tail ?? new ArrayBuffer()),
    quotas: row.quotas === null ? NO_QUOTAS : readQuotas(row.quotas, row.decisions, row.decision_ids, row.members),
  };
}

function readQuotas(
  text: string,
  decisions: string | null,
  ids: ArrayBuffer | null,
  members: ArrayBuffer | null,
): LoadedQuotas {
  return {
    text,
    // One decision to a line: they are JSON, which has no line breaks.
    decisions: decisions === null || decisions === "" ? [] : decisions.split("\n"),
    decisionIds: new Uint32Array(ids ?? new ArrayBuffer()),
    members: new Uint32Array(members ?? new ArrayBuffer()),
  };
}

const NO_CATALOG = { created_catalog: 0, required_catalog: 0, closed_job: null };

function readRecount(text: string): RecountState {
  const stored = JSON.parse(text) as Stored<RecountState>;
  return { ...stored, days: readDays(stored.days) };
}

function readDays(days: readonly UsageDay[]): Days {
  return new Map(days.map((usage) => [dayKey(usage.metric_id, usage.day), MetricDay.from(usage)]));
}

/** Writes the row: one, whatever is in it. Days that did not change are not serialised again. */
export function saveHead(sql: SqlStorage, { head, tail, recount, recountTail, quotas }: Loaded): void {
  const { days, recent, ...rest } = head;
  const state = `${JSON.stringify(rest).slice(0, -1)},"recent":[${recent.join(",")}],"days":[${writeDays(days)}]}`;
  sql.exec(
    `INSERT INTO head (id, state, tail, books, books_tail, quotas, decisions, decision_ids, members)
     VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET state = excluded.state, tail = excluded.tail, books = excluded.books,
       books_tail = excluded.books_tail, quotas = excluded.quotas, decisions = excluded.decisions,
       decision_ids = excluded.decision_ids, members = excluded.members`,
    state,
    toBlob(tail),
    recount === undefined ? null : writeRecount(recount),
    recount === undefined ? null : toBlob(recountTail),
    quotas.text,
    quotas.text === null ? null : quotas.decisions.join("\n"),
    quotas.text === null ? null : toBlob(quotas.decisionIds),
    quotas.text === null ? null : toBlob(quotas.members),
  );
}

function writeRecount({ days, ...rest }: RecountState): string {
  return `${JSON.stringify(rest).slice(0, -1)},"days":[${writeDays(days)}]}`;
}

function writeDays(days: Days): string {
  return Array.from(days.values(), (day) => day.toText()).join(",");
}
