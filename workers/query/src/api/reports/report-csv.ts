import type { ReportCell, ReportColumn, ReportTable } from "@tidemark/contract/report-table";
import { type Cell, writeCsv } from "../../files.ts";

/**
 * A report as CSV: its table, with a customer's id and name, a trend and its change, and each value of a series in
 * columns of their own.
 */
export function reportCsv({ columns, rows }: Pick<ReportTable, "columns" | "rows">): string {
  const labels = columns.map((_, at) => seriesLabels(rows[0]?.[at] ?? null));
  const header = columns.flatMap((column, at) => headerOf(column, labels[at] ?? []));
  const lines = rows.map((row) => columns.flatMap((column, at) => cellsOf(column, row[at] ?? null)));
  return writeCsv(header, lines);
}

function headerOf({ kind, key }: ReportColumn, labels: readonly string[]): readonly string[] {
  switch (kind) {
    case "customer":
      return ["customer_id", "name"];
    case "trend":
      return ["trend", "change"];
    case "series":
      return labels;
    default:
      return [key];
  }
}

function seriesLabels(cell: ReportCell): readonly string[] {
  return cell !== null && typeof cell === "object" && "series" in cell ? cell.series.map(({ label }) => label) : [];
}

/** The cells of one column, as many as its header has. */
function cellsOf({ kind }: ReportColumn, cell: ReportCell): readonly Cell[] {
  if (cell === null) return kind === "customer" || kind === "trend" ? [null, null] : [null];
  if (typeof cell === "string") return [TEXTS.has(kind) ? { text: cell } : { number: cell }];
  if ("series" in cell) return cell.series.map(({ value }) => number(value));
  if ("trend" in cell) return [{ text: cell.trend }, number(cell.change)];
  return [{ text: cell.customer_id }, cell.name === null ? null : { text: cell.name }];
}

const TEXTS: ReadonlySet<ReportColumn["kind"]> = new Set(["text", "instant"]);

function number(value: string | null): Cell {
  return value === null ? null : { number: value };
}
