import type { ReportCell, ReportColumn, ReportTable } from "@tidemark/contract/report-table";
import { NOW } from "./report-for-tests.ts";

/** A column of each kind. */
export const COLUMNS: readonly ReportColumn[] = [
  { key: "rank", title: "#", kind: "rank" },
  { key: "customer_id", title: "Customer", kind: "customer" },
  { key: "value", title: "Used", hint: "requests", kind: "quantity" },
  { key: "active_days", title: "Active days", kind: "count" },
  { key: "share", title: "Share", kind: "share" },
  { key: "change", title: "Change", hint: "on the days before", kind: "change" },
  { key: "last_seen_at", title: "Last use", kind: "instant" },
  { key: "trend", title: "Trend", kind: "trend" },
  { key: "hours", title: "By hour", kind: "series" },
  { key: "rhythm", title: "Rhythm", kind: "text" },
];

/** A customer's row, with a cell of each kind. */
export function cells(rank = 1, name: string | null = `Customer ${rank}`, id = `customer_${rank}`): ReportCell[] {
  return [
    String(rank),
    { customer_id: id, name },
    String(18_420_000 - rank * 700_001),
    "1234",
    "0.3427",
    "-0.051",
    new Date(NOW - 2 * 60_000).toISOString(),
    { trend: "growing", stars: 0, rule: "Up 50%.", change: "0.5" },
    { series: HOURS.map((label, hour) => ({ label, value: String(hour * rank) })), incomplete: null },
    "bursty",
  ];
}

const HOURS = Array.from({ length: 24 }, (_, hour) => `${String(hour).padStart(2, "0")}:00`);

/** A report's table with twenty customers, and a chart of what they used. */
export function table(over: Partial<ReportTable> = {}): ReportTable {
  return {
    title: "Customers growing in API requests",
    summary: "20 customers grew; Customer 1 the most, by 50%.",
    columns: COLUMNS,
    rows: Array.from({ length: 20 }, (_, index) => cells(index + 1)),
    chart: { label: 1, value: 2 },
    notes: ["Growing is more than 30% more than before."],
    empty: "Nobody grew that much. Ask for another period.",
    as_of: new Date(NOW - 70_000).toISOString(),
    time_zone: "Europe/Berlin",
    approximate: false,
    ...over,
  };
}

/** A table along time. */
export function timeTable(days = 30): ReportTable {
  const columns: readonly ReportColumn[] = [
    { key: "day", title: "Day", kind: "text" },
    { key: "value", title: "API requests", hint: "requests", kind: "quantity" },
  ];
  const rows = Array.from({ length: days }, (_, index) => [
    new Date(NOW - (days - 1 - index) * 86_400_000).toISOString().slice(0, 10),
    String(1_000 + ((index * 7919) % 900)),
  ]);
  return table({ columns, rows, chart: { label: 0, value: 1 } });
}
