import type { TopCustomersAnswer } from "@tidemark/contract/report-schema";
import type { ReportTable } from "@tidemark/contract/report-table";
import { TREND_RULES } from "@tidemark/core/trend";
import { aboutTable, countOf, CUSTOMER, customerCell, LAST_SEEN, nameOf, quantity, RANK } from "./columns.ts";

/** The ranking as people read it. */
export function topCustomersTable(answer: TopCustomersAnswer): ReportTable {
  const [first] = answer.data;
  const most = first === undefined ? "" : `; ${nameOf(first)} used the most, ${first.total} ${answer.unit}`;
  return {
    title: `Top customers by ${answer.name}`,
    summary: `${countOf(answer.data.length)}, ${answer.from} to ${answer.to}${most}.`,
    columns: [
      RANK,
      CUSTOMER,
      quantity("total", "Used", answer),
      { key: "active_days", title: "Active days", kind: "count" },
      LAST_SEEN,
      { key: "trend", title: "Trend", kind: "trend" },
      { key: "series", title: "By day", kind: "series" },
    ],
    rows: answer.data.map((row) => [
      String(row.rank),
      customerCell(row),
      row.total,
      String(row.active_days),
      row.last_seen_at,
      { trend: row.trend, stars: STARS.get(row.trend) ?? 0, ...row.trend_detail },
      { series: row.series.map(({ day, value }) => ({ label: day, value })), incomplete: answer.incomplete_day },
    ]),
    chart: { label: 1, value: 2 },
    notes: TREND_RULES.map(({ trend, when }) => `${trend.replace("_", " ")}: ${when}`),
    empty: "Nothing was used in these days.",
    ...aboutTable(answer),
  };
}

const STARS = new Map(TREND_RULES.map(({ trend, stars }) => [trend, stars]));
