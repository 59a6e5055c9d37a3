import type { Counts } from "../counting/counts.ts";
import { OBJECT_GIGABYTES, PRICES } from "./prices.ts";

/** A number of billed operations, and the price of a million of them. */
export interface CostLine {
  readonly name: string;
  readonly count: number;
  readonly price: number;
}

/** How long a call keeps its object awake, and an alarm, which waits for the queue: assumed, not measured. */
const CALL_SECONDS = 0.01;
const ALARM_SECONDS = 0.1;

/** What counting events costs: all that grows with their number. */
export function countingLines(counts: Counts): readonly CostLine[] {
  return [
    { name: "requests", count: counts.requests, price: PRICES.request },
    { name: "event queue: operations", count: counts.eventOperations, price: PRICES.queueOperation },
    { name: "event queue: batches", count: counts.eventBatches, price: PRICES.request },
    { name: "object calls", count: counts.calls, price: PRICES.objectRequest },
    { name: "rows written in calls", count: counts.callRows - counts.alarmsSet, price: PRICES.rowWritten },
    { name: "archive: puts", count: counts.puts, price: PRICES.classA },
    { name: "D1 rows read", count: counts.d1RowsRead, price: PRICES.rowRead },
  ];
}

/** What flushing costs: all that grows with the number of flushes. */
export function flushingLines(counts: Counts): readonly CostLine[] {
  return [
    { name: "alarms set", count: counts.alarmsSet, price: PRICES.rowWritten },
    { name: "alarms", count: counts.alarms, price: PRICES.objectRequest },
    { name: "rows written in alarms", count: counts.alarmRows, price: PRICES.rowWritten },
    { name: "rollup queue: operations", count: counts.rollupOperations, price: PRICES.queueOperation },
    { name: "rollup queue: batches", count: counts.rollupBatches, price: PRICES.request },
    { name: "D1 rows of usage", count: counts.d1UsageRows, price: PRICES.rowWritten },
    { name: "D1 rows of watches", count: counts.d1OtherRows, price: PRICES.rowWritten },
  ];
}

/** What a new customer costs beside its events. */
export function creationLines(counts: Counts): readonly CostLine[] {
  return [
    { name: "rows of the object's schema", count: counts.schemaRows, price: PRICES.rowWritten },
    { name: "D1 rows of customers", count: counts.d1CustomerRows, price: PRICES.rowWritten },
  ];
}

/** What is billed beside operations: estimated, and so not part of what is compared with a goal. */
export function estimatedLines(counts: Counts, cpuSeconds: number): readonly CostLine[] {
  const awake = counts.calls * CALL_SECONDS + counts.alarms * ALARM_SECONDS;
  return [
    { name: "objects awake, GB-s", count: awake * OBJECT_GIGABYTES, price: PRICES.gigabyteSecond },
    { name: "CPU, ms", count: cpuSeconds * 1000, price: PRICES.cpuMillisecond },
  ];
}

/** Dollars for a list of operations. */
export function dollars(lines: readonly CostLine[]): number {
  return lines.reduce((sum, { count, price }) => sum + (count * price) / 1e6, 0);
}

/** The least that these events could cost with an object for each customer: one row a call, and nothing else. */
export function floorDollars(counts: Counts): number {
  const { requests, eventMessages, calls } = counts;
  return (
    (requests * PRICES.request +
      3 * eventMessages * PRICES.queueOperation +
      calls * (PRICES.objectRequest + PRICES.rowWritten)) /
    1e6
  );
}
