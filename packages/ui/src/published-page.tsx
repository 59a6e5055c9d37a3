import { PUBLISHED_ROWS_MAX } from "@tidemark/contract/query-limits";
import type { FC } from "hono/jsx";
import { BarChart } from "./charts/bar-chart.tsx";
import { DailyTable } from "./daily-table.tsx";
import { sumDecimals } from "./decimal.ts";
import { formatDayLong, formatDayShort } from "./format.ts";
import { Freshness } from "./freshness.tsx";
import { Highlights } from "./highlights.tsx";
import { Layout, type Theme, Wordmark } from "./layout.tsx";
import { MoreRows } from "./more-rows.tsx";
import { Files, type FileLinks } from "./published-files.tsx";
import { TopCustomers } from "./top-customers.tsx";
import { addsUp, type TopCustomersReport } from "./top-customers-report.ts";
import { summarize, toBars } from "./top-customers-summary.ts";
import { TrendRules } from "./trend-rules.tsx";

export interface PublishedPageProps {
  readonly title: string;
  readonly report: TopCustomersReport;
  /** When the page is rendered, in milliseconds: ages are measured from here. */
  readonly now: number;
  readonly links: FileLinks;
  readonly embed?: boolean;
  readonly theme?: Theme;
}

/** A published report: what a link shows to somebody without an account. */
export const PublishedPage: FC<PublishedPageProps> = ({ title, report, now, links, embed = false, theme = "auto" }) => {
  const shown = { ...report, data: report.data.slice(0, PUBLISHED_ROWS_MAX) };
  const total = sumDecimals(report.data.map((row) => row.total));
  return (
    <Layout title={title} theme={theme} embed={embed} page="published">
      <header>
        <div>
          <h1>
            <bdi>{title}</bdi>
          </h1>
          <Period report={report} />
        </div>
        <Freshness asOf={report.as_of} now={now} />
      </header>
      {report.data.length > 0 && <Highlights report={report} />}
      {report.data.length > 1 && addsUp(report) && Number(total) > 0 && (
        <BarChart
          title="Who uses how much"
          caption={summarize(report)}
          summary={summarize(report)}
          bars={toBars(report)}
          whole={total}
        />
      )}
      <section class="sheet" aria-labelledby="customers">
        <header>
          <h2 id="customers">Customers by use</h2>
          <Files {...links} />
        </header>
        <TopCustomers report={shown} now={now} />
        <MoreRows count={report.data.length - PUBLISHED_ROWS_MAX} noun="customer" />
      </section>
      {report.data.length > 0 && <DailyTable report={shown} />}
      <footer>
        {report.data.length > 0 && <TrendRules />}
        <p class="colophon">
          Counted by <Wordmark />
        </p>
      </footer>
    </Layout>
  );
};

const Period: FC<{ readonly report: TopCustomersReport }> = ({ report }) => (
  <p>
    {formatDayLong(report.from)} to {formatDayLong(report.to)}, days in {report.time_zone}
    {report.incomplete_day !== null && `; ${formatDayShort(report.incomplete_day)} is not over and is hatched`}
  </p>
);
