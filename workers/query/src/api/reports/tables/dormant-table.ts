import type { DormantAnswer } from "@tidemark/contract/report-schema";
import type { ReportTable } from "@tidemark/contract/report-table";
import { aboutTable, countOf, CUSTOMER, customerCell, LAST_SEEN, nameOf, quantity, RANK } from "./columns.ts";

/** Who went silent, as people read it. */
export function dormantTable(answer: DormantAnswer): ReportTable {
  const [first] = answer.data;
  const most = first === undefined ? "" : `; ${nameOf(first)} used the most before`;
  const who = `${countOf(answer.count)} ${answer.count === 1 ? "has" : "have"}`;
  return {
    title: `Customers dormant in ${answer.name}`,
    summary: `${who} gone silent since ${answer.from}${most}.`,
    columns: [
      RANK,
      CUSTOMER,
      { ...quantity("total", "Used before", answer), hint: `${answer.unit}, since ${answer.from}` },
      { key: "active_days", title: "Active days", kind: "count" },
      LAST_SEEN,
      { key: "silent_days", title: "Silent", hint: "days", kind: "count" },
    ],
    rows: answer.data.map((row) => [
      String(row.rank),
      customerCell(row),
      row.total,
      String(row.active_days),
      row.last_seen_at,
      String(row.silent_days),
    ]),
    chart: { label: 1, value: 2 },
    notes: [answer.rule],
    empty: "Nobody who used it since then has gone silent.",
    ...aboutTable(answer),
  };
}
