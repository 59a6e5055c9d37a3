import type { ReportCell, ReportColumn } from "@tidemark/contract/report-table";
import { parseTimestamp } from "@tidemark/core/timestamp";
import type { FC } from "hono/jsx";
import { percent } from "./charts/scale.ts";
import { MiniBars } from "./charts/mini-bars.tsx";
import { formatAgo, formatChange, formatExactNumber, formatFigure, formatInstant } from "./format.ts";
import { labelOf } from "./table-chart.ts";
import { Quantity } from "./quantity.tsx";
import { TrendCell } from "./trend-badge.tsx";

export interface ReportCellProps {
  readonly cell: ReportCell;
  readonly column: ReportColumn;
  /** Whether figures are estimates. */
  readonly approximate: boolean;
  /** What "2 min ago" is measured from, in milliseconds. */
  readonly now: number;
}

/** What stands in a cell of a report, by its column's kind. */
export const CellContent: FC<ReportCellProps> = ({ cell, column, approximate, now }) => {
  if (cell === null) return <Nothing />;
  if (typeof cell !== "string") {
    if ("customer_id" in cell) return <CustomerName cell={cell} />;
    return "series" in cell ? <MiniBars {...cell} /> : <TrendCell trend={cell.trend} detail={cell} />;
  }
  switch (column.kind) {
    case "quantity":
      return <Quantity text={cell} unit={column.hint ?? ""} approximate={approximate} />;
    case "share":
      return <Share text={cell} />;
    case "change":
      return <Change text={cell} />;
    case "instant":
      return <Instant text={cell} now={now} />;
    case "count":
    case "rank":
      return <span>{formatExactNumber(cell)}</span>;
    default:
      return <bdi>{cell}</bdi>;
  }
};

const Nothing: FC = () => (
  <span class="soft">
    <span aria-hidden="true">–</span>
    <span class="unseen">none</span>
  </span>
);

/** The name over the id; the id alone where there is no name. */
const CustomerName: FC<{ readonly cell: { readonly customer_id: string; readonly name: string | null } }> = ({
  cell,
}) => {
  const shown = labelOf(cell);
  return (
    <>
      <bdi title={shown}>{shown}</bdi>
      {shown !== cell.customer_id && (
        <small>
          <bdi title={cell.customer_id}>{cell.customer_id}</bdi>
        </small>
      )}
    </>
  );
};

/** A part of a whole, drawn as a part of a line. */
const Share: FC<{ readonly text: string }> = ({ text }) => (
  <>
    <data value={text}>{formatFigure(text, "share")}</data>
    <svg class="share-bar" aria-hidden="true">
      <rect class="track" width="100%" height="100%" />
      <rect class="bar" width={percent(Math.min(Math.max(Number(text), 0), 1) * 100)} height="100%" />
    </svg>
  </>
);

/** Signed, with an arrow for those who see and a word for those who listen. */
const Change: FC<{ readonly text: string }> = ({ text }) => {
  const value = Number(text);
  const [arrow, word] = value > 0 ? ["▲", "up "] : value < 0 ? ["▼", "down "] : ["", ""];
  return (
    <data value={text}>
      <span class="arrow" aria-hidden="true">
        {arrow}
      </span>
      <span class="unseen">{word}</span>
      {formatChange(text)}
    </data>
  );
};

const Instant: FC<{ readonly text: string; readonly now: number }> = ({ text, now }) => {
  const at = parseTimestamp(text);
  return (
    <time datetime={text} title={formatInstant(at)}>
      {formatAgo(at, now)}
    </time>
  );
};
