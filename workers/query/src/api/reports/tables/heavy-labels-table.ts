import type { HeavyLabelsAnswer } from "@tidemark/contract/report-schema";
import type { ReportTable } from "@tidemark/contract/report-table";
import { aboutTable, CUSTOMER, customerCell, nameOf, percentOf, quantity, RANK } from "./columns.ts";

/** What usage is made of, as people read it: a line for each label of each customer. */
export function heavyLabelsTable(answer: HeavyLabelsAnswer): ReportTable {
  const [customer] = answer.data;
  const first = customer?.labels[0];
  const most =
    customer === undefined || first === undefined || first.share === null
      ? "Nothing was used"
      : `${partOf(first.label, answer)} is ${percentOf(first.share)} of what ${nameOf(customer)} used`;
  return {
    title: `${answer.name} by ${answer.label}`,
    summary: `${most}, ${answer.from} to ${answer.to}.`,
    columns: [
      RANK,
      CUSTOMER,
      { key: "label", title: answer.label, kind: "text" },
      quantity("value", "Used", answer),
      { key: "share", title: "Share", hint: "of the customer's", kind: "share" },
    ],
    rows: answer.data.flatMap((row) =>
      row.labels.map(({ label, value, share: part }) => [
        String(row.rank),
        customerCell(row),
        label === "" ? null : label,
        value,
        part,
      ]),
    ),
    chart: null,
    notes: [answer.rule],
    empty: "Nothing was used in these days.",
    ...aboutTable(answer),
  };
}

function partOf(label: string, answer: HeavyLabelsAnswer): string {
  return label === "" ? `Usage without ${answer.label}` : `${answer.label} ${label}`;
}
