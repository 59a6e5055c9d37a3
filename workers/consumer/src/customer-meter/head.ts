import type { MeterAddress } from "@tidemark/contract";
import { MetricDay, type UsageDay } from "@tidemark/core";
import { toBlob } from "./blob.ts";
import { EMPTY_ID_STATE, type IdState } from "./id-memory.ts";

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
  /** The version of the latest change: at least one more than the one before and never behind the clock, so that it also outgrows those of a restored copy. */
  version: number;
  readonly flush: FlushState;
  ids: IdState;
  /** Days in use, by `dayKey`. What is not here is in the table `days`. */
  readonly days: Map<string, MetricDay>;
}

interface StoredHead {
  readonly address: MeterAddress;
  readonly created_at: number;
  readonly version: number;
  readonly flush: FlushState;
  readonly ids: IdState;
  readonly days: readonly UsageDay[];
}

export function dayKey(metricId: string, day: number): string {
  return `${day}:${metricId}`;
}

/** The head of a meter that has never been called. */
export function newHead({ project_id, customer_id }: MeterAddress, now: number): Head {
  return {
    address: { project_id, customer_id },
    created_at: now,
    version: 0,
    flush: { due_at: null, sent_version: 0, last_at: 0, busy_since: now, active_at: now, rests_unsent: false },
    ids: EMPTY_ID_STATE,
    days: new Map(),
  };
}

/** Reads the head and the newest fingerprints, or `undefined` for a meter that has never been called. */
export function loadHead(sql: SqlStorage): { readonly head: Head; readonly tail: Uint32Array } | undefined {
  const [row] = sql.exec<{ state: string; tail: ArrayBuffer }>("SELECT state, tail FROM head WHERE id = 1").toArray();
  if (row === undefined) return undefined;
  const stored = JSON.parse(row.state) as StoredHead;
  const days = new Map(stored.days.map((usage) => [dayKey(usage.metric_id, usage.day), MetricDay.from(usage)]));
  return { head: { ...stored, days }, tail: new Uint32Array(row.tail) };
}

/** Writes the head: one row, whatever is in it. Days that did not change are not serialised again. */
export function saveHead(sql: SqlStorage, head: Head, tail: Uint32Array): void {
  const { days, ...rest } = head;
  const texts = Array.from(days.values(), (day) => day.toText());
  const state = `${JSON.stringify(rest).slice(0, -1)},"days":[${texts.join(",")}]}`;
  sql.exec(
    "INSERT INTO head (id, state, tail) VALUES (1, ?, ?) ON CONFLICT DO UPDATE SET state = excluded.state, tail = excluded.tail",
    state,
    toBlob(tail),
  );
}
