import { counts } from "./counts.ts";

/** D1 with the rows counted that its answers' `meta` names. */
export function countedDatabase(database: D1Database): D1Database {
  return new Proxy(database, {
    get(target, name) {
      if (name === "prepare") return (sql: string) => new CountedStatement(target.prepare(sql), sql);
      if (name === "batch") {
        return async (statements: readonly CountedStatement[]) => {
          const results = await target.batch(statements.map((statement) => statement.real));
          results.forEach((result, index) => count(result.meta, statements[index]?.sql ?? ""));
          return results;
        };
      }
      throw new Error(`The cost meter does not know how to count ${String(name)}.`);
    },
  });
}

/** A prepared statement; `first` and `raw` are answered by `all`, because they would tell no `meta`. */
class CountedStatement {
  readonly real: D1PreparedStatement;
  readonly sql: string;

  constructor(real: D1PreparedStatement, sql: string) {
    this.real = real;
    this.sql = sql;
  }

  bind(...values: unknown[]): CountedStatement {
    return new CountedStatement(this.real.bind(...values), this.sql);
  }

  async all<Row>(): Promise<D1Result<Row>> {
    const result = await this.real.all<Row>();
    count(result.meta, this.sql);
    return result;
  }

  async raw(): Promise<unknown[][]> {
    return (await this.all<Record<string, unknown>>()).results.map((row) => Object.values(row));
  }

  run<Row>(): Promise<D1Result<Row>> {
    return this.all<Row>();
  }

  async first(column?: string): Promise<unknown> {
    const [row] = (await this.all<Record<string, unknown>>()).results;
    if (row === undefined) return null;
    return column === undefined ? row : row[column];
  }
}

function count(meta: { readonly rows_read: number; readonly rows_written: number }, sql: string): void {
  const [, table] = /INTO\s+(\w+)/i.exec(sql) ?? [];
  counts.d1RowsRead += meta.rows_read;
  if (table === "usage_days") counts.d1UsageRows += meta.rows_written;
  else if (table === "customers") counts.d1CustomerRows += meta.rows_written;
  else counts.d1OtherRows += meta.rows_written;
}
