import type { ReportCell, ReportColumn, ReportTable } from "@tidemark/contract/report-table";
import type { FC } from "hono/jsx";
import { CellContent } from "./report-cell.tsx";

export interface ReportTableViewProps {
  readonly table: ReportTable;
  /** What "2 min ago" is measured from, in milliseconds. */
  readonly now: number;
}

/** A table with more columns than these becomes cards where there is little room. */
const COLUMNS_IN_NARROW_MAX = 3;

/**
 * A report's rows. In a narrow container those of many columns become cards whose values carry the column's title;
 * the roles are spelled out because a table that is laid out as something else loses them. Of several rows about
 * one customer only the first shows who it is, where they stand under each other.
 */
export const ReportTableView: FC<ReportTableViewProps> = ({ table, now }) => {
  const { title, columns, rows, chart, approximate } = table;
  const header = rowHeaderOf(columns);
  const look = [
    "report-table plain",
    ...(columns.some(({ kind }) => kind === "rank") ? ["ranked"] : []),
    ...(columns.length > COLUMNS_IN_NARROW_MAX ? ["cards"] : []),
  ];
  const classOf = (column: ReportColumn, index: number): string =>
    index === chart?.value ? `${CLASSES[column.kind]} total` : CLASSES[column.kind];
  return (
    <table class={look.join(" ")} role="table">
      <caption class="unseen">{title}</caption>
      <thead role="rowgroup">
        <tr role="row">
          {columns.map((column) => (
            <th scope="col" role="columnheader" class={CLASSES[column.kind]}>
              {column.kind === "rank" ? <abbr title={column.title}>#</abbr> : column.title}
              {column.hint !== undefined && <small> {column.hint}</small>}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {rows.map((row, place) => (
          <tr role="row" class={isAgain(columns, rows[place - 1], row) ? "again" : undefined}>
            {columns.map((column, index) => {
              const content = (
                <CellContent cell={row[index] ?? null} column={column} approximate={approximate} now={now} />
              );
              return index === header ? (
                <th scope="row" role="rowheader" class={classOf(column, index)}>
                  {content}
                </th>
              ) : (
                <td role="cell" class={classOf(column, index)} data-label={column.title}>
                  {content}
                </td>
              );
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
};

const CLASSES = {
  rank: "rank",
  customer: "customer",
  text: "text",
  quantity: "number",
  count: "number",
  share: "number share",
  change: "number change",
  instant: "seen",
  trend: "trend-cell",
  series: "days",
} as const satisfies Record<ReportColumn["kind"], string>;

/** What a row is about: its customer, or the first thing that is not its place. */
function rowHeaderOf(columns: readonly ReportColumn[]): number {
  const customer = columns.findIndex(({ kind }) => kind === "customer");
  return customer === -1 ? columns.findIndex(({ kind }) => kind !== "rank") : customer;
}

/** Whether a row is about the same customer, in the same place, as the one before. */
function isAgain(
  columns: readonly ReportColumn[],
  before: readonly ReportCell[] | undefined,
  row: readonly ReportCell[],
): boolean {
  const whose = (cells: readonly ReportCell[]): string =>
    JSON.stringify(columns.map(({ kind }, index) => (kind === "rank" || kind === "customer" ? cells[index] : null)));
  return columns.some(({ kind }) => kind === "rank") && before !== undefined && whose(before) === whose(row);
}
