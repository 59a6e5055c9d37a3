import type { TopCustomersAnswer } from "@tidemark/contract/report-schema";
import { type Cell, writeCsv } from "../../files.ts";

const COLUMNS = ["rank", "customer_id", "name", "total", "active_days", "last_seen_at", "trend", "change"] as const;

/** The report as CSV: a line per customer, and behind its figures a column for each day. */
export function topCustomersCsv(report: TopCustomersAnswer): string {
  const days = report.data[0]?.series.map(({ day }) => day) ?? [];
  return writeCsv([...COLUMNS, ...days], report.data.map(toCells));
}

function toCells(row: TopCustomersAnswer["data"][number]): readonly Cell[] {
  const { change } = row.trend_detail;
  return [
    { number: String(row.rank) },
    { text: row.customer_id },
    row.name === null ? null : { text: row.name },
    { number: row.total },
    { number: String(row.active_days) },
    { text: row.last_seen_at },
    { text: row.trend },
    change === null ? null : { number: change },
    ...row.series.map(({ value }) => ({ number: value })),
  ];
}
