import type { MetricDay, UsageDay } from "@tidemark/core";

/** The days at rest in a range, both ends included. What the head holds of them is newer. */
export function readDays(sql: SqlStorage, fromDay: number, toDay: number): UsageDay[] {
  return parse(
    sql.exec<Row>("SELECT body FROM days WHERE day >= ? AND day <= ? ORDER BY day, metric_id", fromDay, toDay),
  );
}

/** One metric's day at rest, or `undefined`. */
export function readDay(sql: SqlStorage, metricId: string, day: number): UsageDay | undefined {
  return parse(sql.exec<Row>("SELECT body FROM days WHERE day = ? AND metric_id = ?", day, metricId))[0];
}

/** Days at rest that changed after a version. Reads the whole table: only for a head that overflowed before it was flushed. */
export function readDaysAfter(sql: SqlStorage, version: number): UsageDay[] {
  return parse(sql.exec<Row>("SELECT body FROM days WHERE version > ?", version));
}

/** Lays a day to rest: one row. */
export function writeDay(sql: SqlStorage, day: MetricDay): void {
  sql.exec(
    "INSERT INTO days (day, metric_id, version, body) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET version = excluded.version, body = excluded.body",
    day.day,
    day.metricId,
    day.version,
    day.toText(),
  );
}

type Row = { body: string };

function parse(rows: SqlStorageCursor<Row>): UsageDay[] {
  return Array.from(rows, (row) => JSON.parse(row.body) as UsageDay);
}
