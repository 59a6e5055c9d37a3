import type { MetricDay, UsageDay } from "@tidemark/core";
import type { BookTables } from "./book-tables.ts";

/** The days that a set of books has laid to rest: those that left its row, to keep it small. */
export class DayTable {
  readonly #sql: SqlStorage;
  readonly #table: string;

  constructor(sql: SqlStorage, tables: BookTables) {
    this.#sql = sql;
    this.#table = tables.days;
  }

  /** The days at rest in a range, both ends included. What the head holds of them is newer. */
  read(fromDay: number, toDay: number): UsageDay[] {
    return this.#select("WHERE day >= ? AND day <= ? ORDER BY day, metric_id", fromDay, toDay);
  }

  /** The first day at rest, or `Infinity`. */
  get firstDay(): number {
    return this.#aggregate("MIN") ?? Infinity;
  }

  /** The last one, or `-Infinity`. */
  get lastDay(): number {
    return this.#aggregate("MAX") ?? -Infinity;
  }

  #aggregate(which: "MIN" | "MAX"): number | null {
    return this.#sql.exec<{ day: number | null }>(`SELECT ${which}(day) AS day FROM ${this.#table}`).one().day;
  }

  /** One metric's day, or `undefined`. */
  find(metricId: string, day: number): UsageDay | undefined {
    return this.#select("WHERE day = ? AND metric_id = ?", day, metricId)[0];
  }

  /** Days that changed after a version. Reads the whole table: only for a head that overflowed before it was flushed. */
  readAfter(version: number): UsageDay[] {
    return this.#select("WHERE version > ?", version);
  }

  /** Lays a day to rest: one row. */
  write(day: MetricDay): void {
    this.#sql.exec(
      `INSERT INTO ${this.#table} (day, metric_id, version, body) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET version = excluded.version, body = excluded.body`,
      day.day,
      day.metricId,
      day.version,
      day.toText(),
    );
  }

  #select(where: string, ...bindings: readonly (string | number)[]): UsageDay[] {
    const rows = this.#sql.exec<{ body: string }>(`SELECT body FROM ${this.#table} ${where}`, ...bindings);
    return Array.from(rows, (row) => JSON.parse(row.body) as UsageDay);
  }
}
