import type { NearLimitAnswer } from "@tidemark/contract/report-schema";
import type { ReportColumn, ReportTable } from "@tidemark/contract/report-table";
import { aboutTable, countOf, CUSTOMER, customerCell, nameOf, percentOf, quantity, RANK } from "./columns.ts";

/** Who is near a limit, as people read it. */
export function nearLimitTable(answer: NearLimitAnswer): ReportTable {
  const { data, count } = answer;
  const hasLabels = data.some(({ label }) => label !== null);
  const label: ReportColumn = { key: "label", title: "Label", kind: "text" };
  const customers = new Set(data.map(({ customer_id }) => customer_id)).size;
  const who = data.length === count ? countOf(customers) : countOf(count, "balance");
  const [first] = data;
  const most =
    first?.share === undefined || first.share === null
      ? ""
      : `; ${nameOf(first)} the most, with ${percentOf(first.share)} used`;
  return {
    title: `Customers near their limit of ${answer.name}`,
    summary: `${who} ${(data.length === count ? customers : count) === 1 ? "is" : "are"} near ${hasLabels ? "a" : "the"} limit${most}.`,
    columns: [
      RANK,
      CUSTOMER,
      ...(hasLabels ? [label] : []),
      quantity("used", "Used", answer),
      quantity("reserved", "Reserved", answer),
      quantity("allowance", "Allowance", answer),
      { key: "share", title: "Share used", kind: "share" },
      quantity("remaining", "Remaining", answer),
      { key: "cycle_end", title: "Cycle ends", kind: "instant" },
      { key: "enforcement", title: "Limit", kind: "text" },
    ],
    rows: data.map((row) => [
      String(row.rank),
      customerCell(row),
      ...(hasLabels ? [row.label] : []),
      row.used,
      row.reserved,
      row.allowance,
      row.share,
      row.remaining,
      row.cycle.end,
      row.enforcement,
    ]),
    chart: { label: 1, value: hasLabels ? 6 : 5 },
    notes: [answer.rule, ...doubts(answer)],
    empty: "Nobody has used that much of a cycle that goes on.",
    ...aboutTable(answer),
  };
}

/** What the table may lack. */
function doubts({ unanswered, more }: NearLimitAnswer): readonly string[] {
  return [
    ...(unanswered === 0 ? [] : [`${countOf(unanswered, "meter")} did not answer: ask again to be sure.`]),
    ...(more ? ["There are more customers who came near their limit than are asked at once: these came last."] : []),
  ];
}
