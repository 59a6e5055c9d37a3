import type { ComparedAnswer } from "@tidemark/contract/report-schema";
import type { ReportTable } from "@tidemark/contract/report-table";
import {
  aboutTable,
  countOf,
  CUSTOMER,
  customerCell,
  LAST_SEEN,
  nameOf,
  percentOf,
  quantity,
  RANK,
} from "./columns.ts";

const WORDS = {
  growing: {
    title: "Customers growing in",
    verb: "grew by more than 30%",
    empty: "Nobody grew that much. Ask for another period.",
  },
  dropping: {
    title: "Customers dropping in",
    verb: "dropped by more than 50%",
    empty: "Nobody dropped that much. Ask for another period.",
  },
} as const;

/** Who grew, or dropped, as people read it. */
export function comparedTable(answer: ComparedAnswer): ReportTable {
  const { title, verb, empty } = WORDS[answer.report];
  const days = `${answer.from} to ${answer.to}`;
  const before = `${answer.previous_from} to ${answer.previous_to}`;
  const [first] = answer.data;
  const most = first === undefined ? "" : `; ${nameOf(first)} the most, by ${percentOf(first.change)}`;
  return {
    title: `${title} ${answer.name}`,
    summary: `${countOf(answer.count)} ${verb}, ${days} against ${before}${most}.`,
    columns: [
      RANK,
      CUSTOMER,
      { ...quantity("value", "Used", answer), hint: `${answer.unit}, ${days}` },
      { ...quantity("previous", "Before", answer), hint: `${answer.unit}, ${before}` },
      { key: "change", title: "Change", kind: "change" },
      LAST_SEEN,
    ],
    rows: answer.data.map((row) => [
      String(row.rank),
      customerCell(row),
      row.value,
      row.previous,
      row.change,
      row.last_seen_at,
    ]),
    chart: { label: 1, value: answer.report === "growing" ? 2 : 3 },
    notes: [answer.rule],
    empty,
    ...aboutTable(answer),
  };
}
