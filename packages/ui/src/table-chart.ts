import type { ReportCell, ReportColumn, ReportTable } from "@tidemark/contract/report-table";
import { dateOf } from "@tidemark/core/time-zone";
import { DAY_MS, HOUR_MS, parseTimestamp } from "@tidemark/core/timestamp";
import type { Bar } from "./charts/bar-chart.tsx";
import { cutText } from "./cut-text.ts";
import { formatFigure, formatTimeShort } from "./format.ts";
import { directionOf } from "./time-direction.ts";

/** What a table's chart draws: `bars` compare, side by side; `columns` follow time. */
export type TableChart = BarsOfTable | ColumnsOfTable;

export interface BarsOfTable extends ChartWords {
  readonly kind: "bars";
  readonly bars: readonly Bar[];
}

/** In the order of time, whatever that of the rows; one without a value keeps its place. */
export interface ColumnsOfTable extends ChartWords {
  readonly kind: "columns";
  readonly bars: readonly Column[];
}

interface ChartWords {
  readonly title: string;
  /** What the values are in or compare, and how much of the table is in the picture. */
  readonly caption: string | undefined;
  /** What the picture shows, for those who do not see it. */
  readonly summary: string;
  readonly format: (value: string) => string;
}

/** One place in time. */
interface Column {
  readonly label: string;
  /** An exact decimal; `null` where there is nothing to measure. */
  readonly value: string | null;
  /** Whether its time is not over. */
  readonly open: boolean;
}

/** More bars than these are a list, not a picture; along time, half a year of days. */
const BARS_MAX = 8;
const COLUMNS_MAX = 200;
/** Values that the summary names. */
const NAMED_MAX = 3;
/** A label in a sentence is cut after this many characters. */
const LABEL_LENGTH_MAX = 60;

/** The chart of a table; `undefined` where there is none, or nothing to compare. */
export function toTableChart(table: ReportTable): TableChart | undefined {
  const { chart, columns, rows } = table;
  const label = columns[chart?.label ?? -1];
  const value = columns[chart?.value ?? -1];
  if (chart === null || label === undefined || value === undefined) return undefined;
  const cells = rows.map((row) => ({ label: labelOf(row[chart.label]), value: valueOf(row[chart.value]) }));
  const known = cells.flatMap((cell) => (cell.value === null ? [] : [{ ...cell, value: cell.value }]));
  if (known.length < 2 || known.every((bar) => Number(bar.value) === 0)) return undefined;
  const title = `${value.title} by ${label.title.toLowerCase()}`;
  const format = (text: string): string => formatFigure(text, value.kind);
  const direction = directionOf(label.key, cells);
  if (direction === undefined) {
    const bars = known.slice(0, BARS_MAX);
    const caption = captionOf(value, firstOf(bars, known));
    const named = bars.slice(0, NAMED_MAX).map((bar) => say(bar.label, format(bar.value)));
    return { kind: "bars", title, caption, summary: `${title}: ${named.join(", ")}.`, bars, format };
  }
  const isOpen = findOpen(label.key, table);
  const first = cells.slice(0, COLUMNS_MAX).map((cell) => ({ ...cell, open: isOpen(cell.label) }));
  const bars = direction === 1 ? first : first.toReversed();
  const dashed = bars.some(({ open }) => open) ? ["dashed is not over"] : [];
  const caption = captionOf(value, [...firstOf(bars, cells), ...dashed]);
  return { kind: "columns", title, caption, summary: `${title}: ${tellCourse(bars, format)}.`, bars, format };
}

/** What people call what stands in a cell. */
export function labelOf(cell: ReportCell | undefined): string {
  if (cell === null || cell === undefined) return "–";
  if (typeof cell === "string") return cell;
  return "customer_id" in cell ? (cell.name ?? cell.customer_id) : "";
}

function valueOf(cell: ReportCell | undefined): string | null {
  return typeof cell === "string" ? cell : null;
}

function firstOf(shown: readonly unknown[], all: readonly unknown[]): readonly string[] {
  return shown.length === all.length ? [] : [`the first ${shown.length} of ${all.length}`];
}

function captionOf({ hint }: ReportColumn, extent: readonly string[]): string | undefined {
  const parts = [...(hint === undefined || hint === "" ? [] : [hint]), ...extent];
  return parts.length === 0 ? undefined : parts.join("; ");
}

/** Which place in time was going on when the figures were read. */
function findOpen(key: string, { as_of, time_zone }: ReportTable): (label: string) => boolean {
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

/** Along time: the ends and the highest. */
function tellCourse(bars: readonly Column[], format: TableChart["format"]): string {
  const known = bars.flatMap(({ label, value }) => (value === null ? [] : [{ label, value }]));
  const [first] = known;
  const last = known.at(-1);
  if (first === undefined || last === undefined) return "nothing was measured";
  const highest = known.reduce((best, bar) => (Number(bar.value) > Number(best.value) ? bar : best));
  const tell = ({ label, value }: typeof first): string => say(formatTimeShort(label), format(value));
  return `${tell(first)} to ${tell(last)}, the highest ${tell(highest)}`;
}

function say(label: string, value: string): string {
  return `\u2068${cutText(label, LABEL_LENGTH_MAX)}\u2069 ${value}`;
}
