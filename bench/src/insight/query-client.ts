import { isDeepStrictEqual } from "node:util";
import type { Counts } from "../counting/counts.ts";
import type { RankedRow } from "./postgres.ts";

/** What the report answers, as far as it is looked at. */
export interface TopReport {
  readonly data: readonly {
    readonly customer_id: string;
    readonly total: string;
    readonly series: readonly unknown[];
  }[];
}

/** An answer, with what it took. */
export interface Asked {
  readonly report: TopReport;
  readonly milliseconds: number;
  /** Of D1, as its `meta` counts them. */
  readonly rows: number;
}

/** The query Worker under measurement. */
export class QueryWorker {
  readonly #url: string;
  readonly #key: string;

  constructor(url: string, key: string) {
    this.#url = url;
    this.#key = key;
  }

  /** Forgets the answers that are kept. */
  async forget(): Promise<void> {
    await fetch(`${this.#url}/forget`);
  }

  /** Asks for the top 20 of a metric, by its number. */
  async top(metric: number): Promise<Asked> {
    await this.#rows();
    const startedAt = performance.now();
    const response = await fetch(`${this.#url}/v1/reports/top-customers?metric=insight_${metric}&days=30&limit=20`, {
      headers: { authorization: `Bearer ${this.#key}` },
    });
    const report = await response.json<TopReport>();
    const milliseconds = performance.now() - startedAt;
    if (response.status !== 200) throw new Error(`The report answers ${response.status}.`);
    return { report, milliseconds, rows: await this.#rows() };
  }

  /** @throws Error where the report is not what PostgreSQL says. */
  check({ data }: TopReport, expected: readonly RankedRow[]): void {
    const ours = data.map(({ customer_id, total }) => [customer_id, total]);
    if (
      !isDeepStrictEqual(
        ours,
        expected.map(({ customer_id, total }) => [customer_id, total]),
      )
    )
      throw new Error("The report and PostgreSQL do not agree on the ranking.");
    if (data.some(({ series }) => series.length !== 30)) throw new Error("A customer of the report has not 30 days.");
  }

  async #rows(): Promise<number> {
    const counts = await (await fetch(`${this.#url}/counts`)).json<Counts>();
    return counts.d1RowsRead;
  }
}
