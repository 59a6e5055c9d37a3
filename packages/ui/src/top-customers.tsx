import { parseTimestamp } from "@tidemark/core/timestamp";
import type { FC } from "hono/jsx";
import { MiniBars } from "./charts/mini-bars.tsx";
import { counted, formatAgo, formatDayLong, formatInstant } from "./format.ts";
import { Quantity } from "./quantity.tsx";
import { displayName, type TopCustomerRow, type TopCustomersReport } from "./top-customers-report.ts";
import { TrendCell } from "./trend-badge.tsx";

export interface TopCustomersProps {
  readonly report: TopCustomersReport;
  /** What "2 min ago" is measured from, in milliseconds. */
  readonly now: number;
}

/**
 * The customers by use, one row each. In a narrow container the rows become cards whose values carry
 * the column's title; the roles are spelled out because a table that is laid out as something else
 * loses them.
 */
export const TopCustomers: FC<TopCustomersProps> = ({ report, now }) => {
  if (report.data.length === 0) return <NoCustomers report={report} />;
  const { name, unit, days } = report;
  return (
    <table class="report-table cards top-customers" role="table">
      <caption class="unseen">
        Customers by {name} from {formatDayLong(report.from)} to {formatDayLong(report.to)}, largest first
      </caption>
      <thead role="rowgroup">
        <tr role="row">
          <th scope="col" role="columnheader" class="number">
            <abbr title="Rank">#</abbr>
          </th>
          <th scope="col" role="columnheader">
            Customer
          </th>
          <th scope="col" role="columnheader" class="number">
            {name} <small>{`${unit}, ${counted(days, "day")}`}</small>
          </th>
          <th scope="col" role="columnheader" class="number">
            Active days
          </th>
          <th scope="col" role="columnheader" class="seen">
            Last call
          </th>
          <th scope="col" role="columnheader">
            Trend <small>change on the period before</small>
          </th>
          <th scope="col" role="columnheader">
            Day by day <small>own scale</small>
          </th>
        </tr>
      </thead>
      <tbody role="rowgroup">
        {report.data.map((row) => (
          <CustomerRow row={row} report={report} now={now} />
        ))}
      </tbody>
    </table>
  );
};

const CustomerRow: FC<{ readonly row: TopCustomerRow } & TopCustomersProps> = ({ row, report, now }) => {
  const { name, unit, days, incomplete_day, approximate } = report;
  const lastSeenAt = parseTimestamp(row.last_seen_at);
  return (
    <tr role="row">
      <td role="cell" class="rank">
        {row.rank}
      </td>
      <th scope="row" role="rowheader" class="customer">
        <bdi title={displayName(row)}>{displayName(row)}</bdi>
        {displayName(row) !== row.customer_id && (
          <small>
            <bdi title={row.customer_id}>{row.customer_id}</bdi>
          </small>
        )}
      </th>
      <td role="cell" class="number total" data-label={name}>
        <Quantity text={row.total} unit={unit} approximate={approximate} />
      </td>
      <td role="cell" class="number" data-label="Active days">
        {row.active_days} <span class="soft">of {days}</span>
      </td>
      <td role="cell" class="seen" data-label="Last call">
        <time datetime={row.last_seen_at} title={formatInstant(lastSeenAt)}>
          {formatAgo(lastSeenAt, now)}
        </time>
      </td>
      <td role="cell" class="trend-cell" data-label="Trend">
        <TrendCell trend={row.trend} detail={row.trend_detail} />
      </td>
      <td role="cell" class="days" data-label="Day by day">
        <MiniBars series={row.series.map(({ day, value }) => ({ label: day, value }))} incomplete={incomplete_day} />
      </td>
    </tr>
  );
};

const NoCustomers: FC<{ readonly report: TopCustomersReport }> = ({ report }) => (
  <div class="empty">
    <p>
      <strong>No {report.name} in this period yet.</strong>
    </p>
    <p>
      It runs from {formatDayLong(report.from)} to {formatDayLong(report.to)}. A customer appears here, ranked by use,
      within a minute of the first event that this metric counts.
    </p>
  </div>
);
