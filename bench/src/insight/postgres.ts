import { Pool } from "pg";
import { type Filling, lastAtSql, metricId, valueSql } from "./rows.ts";

const TABLE = `
  CREATE TABLE usage_days (
    metric_id text NOT NULL, day int NOT NULL, customer_id text NOT NULL, value bigint NOT NULL, events bigint NOT NULL,
    last_at bigint NOT NULL, PRIMARY KEY (metric_id, day, customer_id))`;

/** What a team would write: the ranking, and then the days of those who are in it. */
const RANKING = `
  SELECT customer_id, sum(value) AS total, count(*) AS active_days, max(last_at) AS last_at
  FROM usage_days WHERE metric_id = $1 AND day BETWEEN $2 AND $3
  GROUP BY customer_id ORDER BY total DESC, customer_id LIMIT 20`;
const SERIES = `
  SELECT customer_id, day, value FROM usage_days
  WHERE metric_id = $1 AND day BETWEEN $2 AND $3 AND customer_id = ANY($4) ORDER BY customer_id, day`;

export interface RankedRow {
  readonly customer_id: string;
  readonly total: string;
}

/** The same rows in PostgreSQL. */
export class PostgresUsage {
  readonly #pool: Pool;

  constructor(port: number) {
    this.#pool = new Pool({ port, host: "127.0.0.1", user: "postgres", database: "postgres" });
  }

  async fill({ customers, days, metrics }: Filling, today: number): Promise<void> {
    await this.#pool.query("DROP TABLE IF EXISTS usage_days");
    await this.#pool.query(TABLE);
    for (let metric = 0; metric < metrics; metric++)
      await this.#pool.query(
        `INSERT INTO usage_days SELECT '${metricId(metric)}', day, 'customer-' || lpad(rank::text, 6, '0'),
           ${valueSql("rank", "day", metric)}, ${valueSql("rank", "day", metric)}, ${lastAtSql("rank::bigint", "day::bigint")}
         FROM generate_series($1::int, $2::int) AS day, generate_series(1, $3::int) AS rank`,
        [today - days + 1, today, customers],
      );
    await this.#pool.query("VACUUM ANALYZE usage_days");
  }

  /** The 20 largest customers of 30 days, and their days. */
  async top(metric: string, today: number): Promise<{ readonly ranked: readonly RankedRow[]; readonly days: number }> {
    const span = [metric, today - 29, today];
    const { rows: ranked } = await this.#pool.query<RankedRow>({ name: "ranking", text: RANKING, values: span });
    const ids = ranked.map(({ customer_id }) => customer_id);
    const { rows } = await this.#pool.query({ name: "series", text: SERIES, values: [...span, ids] });
    return { ranked, days: rows.length };
  }

  close(): Promise<void> {
    return this.#pool.end();
  }
}
