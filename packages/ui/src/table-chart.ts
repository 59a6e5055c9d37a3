import type { ReportCell, ReportColumn, ReportTable } from "@tidemark/contract/report-table";
import { dateOf } from "@tidemark/core/time-zone";
import { DAY_MS, HOUR_MS, parseTimestamp } from "@tidemark/core/timestamp";
import type { Bar } from "./charts/bar-chart.tsx";
import { cutText } from "./cut-text.ts";
import { formatFigure, formatTimeShort } from "./format.ts";

/** What a table's chart draws: `bars` compare, side by side; `columns` follow time. */
export interface TableChart {
  readonly kind: "bars" | "columns";
  readonly title: string;
  /** What the values are in or compare, and how much of the table is in the picture. */
  readonly caption: string | undefined;
  /** What the picture shows, for those who do not see it. */
  readonly summary: string;
  readonly bars: readonly Bar[];
  readonly format: (value: string) => string;
}

/** More bars than these are a list, not a picture; along time, half a year of days. */
const BARS_MAX = 8;
const COLUMNS_MAX = 200;
/** Values that the summary names. */
const NAMED_MAX = 3;
/** A label in a sentence is cut after this many characters. */
const LABEL_LENGTH_MAX = 60;
/** Columns whose rows follow one another in time. */
const TIMES: ReadonlySet<string> = new Set(["hour", "day", "week", "month", "hour_of_day", "day_of_week"]);

/** The chart of a table; `undefined` where there is none, or nothing to compare. */
export function toTableChart(table: ReportTable): TableChart | undefined {
  const { chart, columns, rows } = table;
  const label = columns[chart?.label ?? -1];
  const value = columns[chart?.value ?? -1];
  if (chart === null || label === undefined || value === undefined) return undefined;
  const all = rows.flatMap((row) => toBar(row[chart.label], row[chart.value]));
  if (all.length < 2 || all.every((bar) => Number(bar.value) === 0)) return undefined;
  const kind = TIMES.has(label.key) ? "columns" : "bars";
  const isOpen = findOpen(label.key, table);
  const bars = all
    .slice(0, kind === "bars" ? BARS_MAX : COLUMNS_MAX)
    .map((bar) => (isOpen(bar.label) ? { ...bar, open: true } : bar));
  const extent = [
    ...(bars.length === all.length ? [] : [`the first ${bars.length} of ${all.length}`]),
    ...(bars.some(({ open = false }) => open) ? ["dashed is not over"] : []),
  ];
  const format = (text: string): string => formatFigure(text, value.kind);
  const title = `${value.title} by ${label.title.toLowerCase()}`;
  return {
    kind,
    title,
    caption: captionOf(value, extent),
    summary: `${title}: ${nameSome(kind, bars, format)}.`,
    bars,
    format,
  };
}

/** What people call what stands in a cell. */
export function labelOf(cell: ReportCell | undefined): string {
  if (cell === null || cell === undefined) return "–";
  if (typeof cell === "string") return cell;
  return "customer_id" in cell ? (cell.name ?? cell.customer_id) : "";
}

function toBar(label: ReportCell | undefined, value: ReportCell | undefined): readonly Bar[] {
  return typeof value === "string" ? [{ label: labelOf(label), value }] : [];
}

function captionOf({ hint }: ReportColumn, extent: readonly string[]): string | undefined {
  const parts = [...(hint === undefined || hint === "" ? [] : [hint]), ...extent];
  return parts.length === 0 ? undefined : parts.join("; ");
}

/** Which place in time was going on when the figures were read. */
function findOpen(key: string, { as_of, time_zone }: ReportTable): (label: string) => boolean {
  if (!TIMES.has(key)) return () => false;
  const at = parseTimestamp(as_of);
  const today = dateOf(at, time_zone);
  const midnight = (date: string): number => parseTimestamp(`${date}T00:00:00Z`);
  switch (key) {
    case "hour":
      return (label) => isWithin(at, parseTimestamp(label), HOUR_MS);
    case "day":
      return (label) => label === today;
    case "week":
      return (label) => isWithin(midnight(today), midnight(label), 7 * DAY_MS);
    case "month":
      return (label) => today.startsWith(label);
    default:
      return () => false;
  }
}

function isWithin(at: number, start: number, durationMs: number): boolean {
  return at >= start && at - start < durationMs;
}

/** The first bars; along time, the ends and the highest. */
function nameSome(kind: TableChart["kind"], bars: readonly Bar[], format: TableChart["format"]): string {
  const say = ({ label, value }: Bar): string =>
    `\u2068${cutText(kind === "columns" ? formatTimeShort(label) : label, LABEL_LENGTH_MAX)}\u2069 ${format(value)}`;
  const last = bars.at(-1);
  if (kind === "bars" || last === undefined) return bars.slice(0, NAMED_MAX).map(say).join(", ");
  const highest = bars.reduce((best, bar) => (Number(bar.value) > Number(best.value) ? bar : best));
  return `${bars.slice(0, 1).map(say).join("")} to ${say(last)}, the highest ${say(highest)}`;
}
