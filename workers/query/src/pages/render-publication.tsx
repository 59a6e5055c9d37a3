import type { ReportTable } from "@tidemark/contract/report-table";
import { parseTimestamp } from "@tidemark/core/timestamp";
import {
  CHART_IMAGE_STYLE_SOURCE,
  ChartImage,
  PublishedPage,
  ReportPage,
  type Theme,
  toTableChart,
} from "@tidemark/ui";
import type { PublicationAnswer } from "../api/publications/answer-question.ts";
import { toQueryTable } from "../api/query/query-table.ts";
import { reportCsv } from "../api/reports/report-csv.ts";
import { toReportTable } from "../api/reports/report-table.ts";
import { fileAnswer } from "../files.ts";
import { contentSecurityPolicy } from "../plumbing/security-headers.ts";
import type { Rendered } from "./rendered-cache.ts";

/** As what a link is opened: the ending of its address. */
export type FileType = "page" | "json" | "csv" | "svg";

/** How the address wants it to look. */
export interface Look {
  readonly theme: Theme;
  readonly embed: boolean;
}

interface Publication {
  readonly id: string;
  readonly key: string;
  readonly title: string;
  readonly answer: PublicationAnswer;
}

/** A published answer as one of its files; `undefined` for the picture of what has no chart. */
export async function renderPublication(
  publication: Publication,
  type: FileType,
  look: Look,
): Promise<Rendered | undefined> {
  const { title, answer } = publication;
  switch (type) {
    case "json":
      return { body: JSON.stringify({ title, ...answer }), headers: { "content-type": "application/json" } };
    case "csv":
      return renderCsv(answer);
    case "svg":
      return renderChart(title, tableOf(answer), look);
    case "page":
      return { body: await renderPage(publication, look), headers: { "content-type": "text/html; charset=UTF-8" } };
  }
}

async function renderPage({ id, key, title, answer }: Publication, look: Look): Promise<string> {
  // Relative, so that they hold wherever the page is mounted; the key stands nowhere else in it.
  const file = (ending: string): string => `${id}.${ending}?key=${encodeURIComponent(key)}`;
  const props = { title, now: Date.now(), links: { csv: file("csv"), json: file("json") }, ...look };
  const page =
    "report" in answer && answer.report === "top-customers" ? (
      <PublishedPage report={answer} {...props} />
    ) : (
      <ReportPage table={tableOf(answer)} {...props} />
    );
  return (await page).toString();
}

async function renderChart(title: string, table: ReportTable, { theme, embed }: Look): Promise<Rendered | undefined> {
  const chart = toTableChart(table);
  if (chart === undefined) return undefined;
  const image = <ChartImage title={title} chart={chart} asOf={parseTimestamp(table.as_of)} theme={theme} />;
  return {
    body: (await image).toString().replaceAll(NOT_XML, "\ufffd"),
    headers: {
      "content-type": "image/svg+xml; charset=utf-8",
      "content-security-policy": contentSecurityPolicy(embed, CHART_IMAGE_STYLE_SOURCE),
    },
  };
}

/** Characters that XML has no way to write: labels have whatever programs sent, and one would spoil the picture. */
const NOT_XML = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

function renderCsv(answer: PublicationAnswer): Rendered {
  const text = reportCsv(tableOf(answer));
  const name = "report" in answer ? answer.report : "query";
  const { headers } = fileAnswer(text, "csv", `${name}-${answer.metric}`);
  return { body: text, headers: Object.fromEntries(headers) };
}

function tableOf(answer: PublicationAnswer): ReportTable {
  return "report" in answer ? toReportTable(answer) : toQueryTable(answer);
}
