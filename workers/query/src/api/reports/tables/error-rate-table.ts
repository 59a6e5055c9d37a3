import type { ErrorRateAnswer } from "@tidemark/contract/report-schema";
import type { ReportTable } from "@tidemark/contract/report-table";
import { aboutTable, CUSTOMER, customerCell, nameOf, percentOf, quantity, RANK } from "./columns.ts";

/** Whose usage fails, as people read it. */
export function errorRateTable(answer: ErrorRateAnswer): ReportTable {
  const [worst] = answer.data.toSorted((a, b) => Number(b.rate ?? 0) - Number(a.rate ?? 0));
  const rate = worst?.rate ?? null;
  return {
    title: `Error rates of ${answer.name}`,
    summary:
      worst === undefined || rate === null
        ? `Nothing was used, ${answer.from} to ${answer.to}.`
        : `Of the top ${answer.data.length}, ${nameOf(worst)} has the most errors: ${percentOf(rate)}, ${answer.from} to ${answer.to}.`,
    columns: [
      RANK,
      CUSTOMER,
      quantity("total", "Used", answer),
      quantity("errors_4xx", "4xx", answer),
      quantity("errors_5xx", "5xx", answer),
      { key: "rate", title: "Error rate", kind: "share" },
    ],
    rows: answer.data.map((row) => [
      String(row.rank),
      customerCell(row),
      row.total,
      row.errors_4xx,
      row.errors_5xx,
      row.rate,
    ]),
    chart: { label: 1, value: 5 },
    notes: [answer.rule],
    empty: "Nothing was used in these days.",
    ...aboutTable(answer),
  };
}
