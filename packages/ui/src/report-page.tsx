import { PUBLISHED_ROWS_MAX } from "@tidemark/contract/query-limits";
import type { ReportTable } from "@tidemark/contract/report-table";
import type { FC } from "hono/jsx";
import { BarChart } from "./charts/bar-chart.tsx";
import { ColumnChart } from "./charts/column-chart.tsx";
import { Freshness } from "./freshness.tsx";
import { Layout, type Theme, Wordmark } from "./layout.tsx";
import { MoreRows } from "./more-rows.tsx";
import { Files, type FileLinks } from "./published-files.tsx";
import { ReportTableView } from "./report-table-view.tsx";
import { toTableChart } from "./table-chart.ts";

export interface ReportPageProps {
  readonly title: string;
  readonly table: ReportTable;
  /** When the page is rendered, in milliseconds: ages are measured from here. */
  readonly now: number;
  readonly links: FileLinks;
  readonly embed?: boolean;
  readonly theme?: Theme;
}

/** A published report or query of whatever kind: what a link shows to somebody without an account. */
export const ReportPage: FC<ReportPageProps> = ({ title, table, now, links, embed = false, theme = "auto" }) => {
  const chart = toTableChart(table);
  return (
    <Layout title={title} theme={theme} embed={embed} page="published">
      <header>
        <div>
          <h1>
            <bdi>{title}</bdi>
          </h1>
          <p>{table.summary}</p>
        </div>
        <Freshness asOf={table.as_of} now={now} />
      </header>
      {chart?.kind === "columns" && <ColumnChart chart={chart} />}
      {chart?.kind === "bars" && <BarChart {...chart} />}
      <section class="sheet" aria-labelledby="table">
        <header>
          <h2 id="table">{table.title}</h2>
          <Files {...links} />
        </header>
        {table.rows.length === 0 ? (
          <Empty text={table.empty} />
        ) : (
          <ReportTableView table={{ ...table, rows: table.rows.slice(0, PUBLISHED_ROWS_MAX) }} now={now} />
        )}
        <MoreRows count={table.rows.length - PUBLISHED_ROWS_MAX} noun="row" />
      </section>
      <footer>
        <Rules notes={table.notes} timeZone={table.time_zone} approximate={table.approximate} />
        <p class="colophon">
          Counted by <Wordmark />
        </p>
      </footer>
    </Layout>
  );
};

const Empty: FC<{ readonly text: string }> = ({ text }) => (
  <div class="empty">
    <p>
      <strong>Nothing to show yet.</strong>
    </p>
    <p>{text}</p>
  </div>
);

const Rules: FC<{ readonly notes: readonly string[]; readonly timeZone: string; readonly approximate: boolean }> = ({
  notes,
  timeZone,
  approximate,
}) => (
  <section class="rules" aria-labelledby="rules">
    <h2 id="rules">How to read it</h2>
    <ul>
      {notes.map((note) => (
        <li>{note}</li>
      ))}
      <li>Days and hours are those of {timeZone}.</li>
      {approximate && <li>Figures marked ≈ are estimates.</li>}
    </ul>
  </section>
);
