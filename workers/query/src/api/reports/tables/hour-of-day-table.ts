import type { HourOfDayAnswer } from "@tidemark/contract/report-schema";
import type { ReportTable } from "@tidemark/contract/report-table";
import { aboutTable, countOf, CUSTOMER, customerCell, quantity, RANK } from "./columns.ts";

/** When in the day something is used, as people read it. */
export function hourOfDayTable(answer: HourOfDayAnswer): ReportTable {
  const bursty = answer.data.filter(({ rhythm }) => rhythm === "bursty").length;
  return {
    title: `${answer.name} by hour of the day`,
    summary: `Of the top ${countOf(answer.data.length)}, ${bursty} ${bursty === 1 ? "uses" : "use"} it in bursts, ${answer.from} to ${answer.to}.`,
    columns: [
      RANK,
      CUSTOMER,
      quantity("total", "Used", answer),
      { key: "hours", title: "By hour", hint: `of the day, ${answer.time_zone}`, kind: "series" },
      { key: "peak_hour", title: "Peak", hint: "hour", kind: "text" },
      { key: "peak_share", title: "In the peak hour", kind: "share" },
      { key: "busiest_share", title: "In the busiest 3", hint: "hours", kind: "share" },
      { key: "rhythm", title: "Rhythm", kind: "text" },
    ],
    rows: answer.data.map((row) => [
      String(row.rank),
      customerCell(row),
      row.total,
      { series: row.hours.map((value, hour) => ({ label: hourText(hour), value })), incomplete: null },
      row.peak_hour === null ? null : hourText(row.peak_hour),
      row.peak_share,
      row.busiest_share,
      row.rhythm,
    ]),
    chart: { label: 1, value: 2 },
    notes: [answer.rule],
    empty: "Nothing was used in these days.",
    ...aboutTable(answer),
  };
}

function hourText(hour: number): string {
  return `${String(hour).padStart(2, "0")}:00`;
}
