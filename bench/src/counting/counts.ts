/** What is billed, as the wrappers around the bindings have seen it, since the last reset. */
export interface Counts {
  /** HTTP requests to the Worker, and invocations by its queues. */
  requests: number;
  eventBatches: number;
  rollupBatches: number;
  /** Queue operations: a write, a read and a delete for every started 64,000 bytes, and a read more for every redelivery. */
  eventOperations: number;
  rollupOperations: number;
  /** Messages of the event queue that were written, and that were delivered a second time. */
  eventMessages: number;
  redelivered: number;
  /** Calls that count or decide, what they wrote, and the most that one of them wrote; setting an alarm is a row. */
  calls: number;
  callRows: number;
  callRowsMax: number;
  /** Of those rows: alarms that were set. */
  alarmsSet: number;
  /** Alarms that rang, and what was written then. */
  alarms: number;
  alarmRows: number;
  alarmRowsMax: number;
  /** What new objects wrote before their first call. */
  schemaRows: number;
  /** All rows that objects wrote, by table; alarms by themselves. */
  tables: Readonly<Record<string, number>>;
  /** Rows of D1, written ones by table. */
  d1RowsRead: number;
  d1UsageRows: number;
  d1CustomerRows: number;
  d1OtherRows: number;
  /** R2: puts are class A, gets class B. */
  puts: number;
  gets: number;
}

const NONE: Counts = {
  requests: 0,
  eventBatches: 0,
  rollupBatches: 0,
  eventOperations: 0,
  rollupOperations: 0,
  eventMessages: 0,
  redelivered: 0,
  calls: 0,
  callRows: 0,
  callRowsMax: 0,
  alarmsSet: 0,
  alarms: 0,
  alarmRows: 0,
  alarmRowsMax: 0,
  schemaRows: 0,
  tables: {},
  d1RowsRead: 0,
  d1UsageRows: 0,
  d1CustomerRows: 0,
  d1OtherRows: 0,
  puts: 0,
  gets: 0,
};

/** The counts of this isolate: the Worker and its objects share one. */
export const counts: Counts = { ...NONE };

/** Counts rows of one table. */
export function countRows(table: string, rows: number): void {
  counts.tables = { ...counts.tables, [table]: (counts.tables[table] ?? 0) + rows };
}

/** The counts so far; they begin anew. */
export function takeCounts(): Counts {
  const taken = { ...counts };
  Object.assign(counts, NONE);
  return taken;
}
