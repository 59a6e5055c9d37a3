import type { Bar } from "./charts/bar-chart.tsx";
import { cutText } from "./cut-text.ts";
import { sumDecimals } from "./decimal.ts";
import { counted, formatCompact, formatShare } from "./format.ts";
import { displayName, type TopCustomersReport } from "./top-customers-report.ts";

/** At most this many bars of their own: more are a list, not a picture. */
const BARS_MAX = 8;
/** A name in a sentence is cut after this many characters, as readers count them. */
const NAME_IN_SENTENCE_MAX = 60;

/** Who uses how much: the largest customers one by one, the others as one bar. */
export function toBars(report: TopCustomersReport): readonly Bar[] {
  const bars = report.data.map((row) => ({ label: displayName(row), value: row.total }));
  if (bars.length <= BARS_MAX + 1) return bars;
  const rest = bars.slice(BARS_MAX);
  return [
    ...bars.slice(0, BARS_MAX),
    { label: `${rest.length} others`, value: sumDecimals(rest.map(({ value }) => value)), rest: true },
  ];
}

/** What the bars show, in one sentence. */
export function summarize(report: TopCustomersReport): string {
  const { data: rows, name, unit, days } = report;
  const total = sumDecimals(rows.map((row) => row.total));
  const [first] = rows;
  const used = `${formatCompact(total)} ${unit} in ${counted(days, "day")}`;
  if (first === undefined) return `Nobody used ${name} in ${counted(days, "day")}.`;
  if (rows.length === 1) return `${quote(displayName(first))} used ${used}.`;
  const largest = `${quote(displayName(first))} accounts for ${formatShare(first.total, total)}`;
  const whole = `of the ${used} of these ${rows.length} customers`;
  if (rows.length < 4) return `${largest} ${whole}.`;
  const three = sumDecimals(rows.slice(0, 3).map((row) => row.total));
  return `${largest} ${whole}; the largest three for ${formatShare(three, total)}.`;
}

/** A name between isolates, so that one written from right to left does not turn the sentence around. */
function quote(name: string): string {
  return `\u2068${cutText(name, NAME_IN_SENTENCE_MAX)}\u2069`;
}
