import { createRoute } from "@hono/zod-openapi";
import {
  ComparedSchema,
  DormantSchema,
  ErrorRateSchema,
  HeavyLabelsSchema,
  HourOfDaySchema,
  NearLimitSchema,
  TopCustomersSchema,
} from "@tidemark/contract/report-answer-schema";
import { REPORT_QUERIES, type ReportAnswer, type ReportQuestion } from "@tidemark/contract/report-schema";
import { type ReportName, REPORTS } from "@tidemark/contract/reports";
import { FormatSchema } from "@tidemark/contract/usage-schema";
import * as z from "zod";
import type { QueryApp } from "../../env.ts";
import { fileAnswer, writeNdjson } from "../../files.ts";
import { chooseFormat } from "../../plumbing/choose-format.ts";
import { requires } from "../../plumbing/requires.ts";
import { failures, KEYED } from "../../plumbing/routes.ts";
import { reportCsv } from "./report-csv.ts";
import { toReportTable } from "./report-table.ts";
import { runReport } from "./run-report.ts";

/** A route for each report. */
export function getReports(app: QueryApp): void {
  addReport(app, "top-customers", TopCustomersSchema);
  addReport(app, "growing", ComparedSchema);
  addReport(app, "dropping", ComparedSchema);
  addReport(app, "dormant", DormantSchema);
  addReport(app, "near-limit", NearLimitSchema);
  addReport(app, "heavy-labels", HeavyLabelsSchema);
  addReport(app, "hour-of-day", HourOfDaySchema);
  addReport(app, "error-rate", ErrorRateSchema);
}

function addReport(app: QueryApp, report: ReportName, schema: z.ZodType<ReportAnswer>): void {
  const { title, description } = REPORTS[report];
  const route = createRoute({
    method: "get",
    path: `/v1/reports/${report}`,
    tags: ["Reports"],
    summary: title,
    description: `${description}${DETAILS[report] ?? ""} ${ZONE}`,
    security: KEYED,
    middleware: requires("read"),
    request: { query: z.strictObject({ ...REPORT_QUERIES[report].shape, format: FormatSchema }) },
    responses: {
      200: {
        description: "The report; NDJSON carries `data` alone, and CSV a table of it.",
        content: {
          "application/json": { schema },
          "text/csv": { schema: z.string() },
          "application/x-ndjson": { schema: z.string() },
        },
      },
      ...failures(404),
    },
  });
  app.openapi(route, async (context) => {
    const { format, ...params } = context.req.valid("query");
    const question: ReportQuestion = { report, params };
    const answer = await runReport(context.env, context.get("principal").project_id, question);
    switch (chooseFormat(context, format)) {
      case "csv":
        return fileAnswer(reportCsv(toReportTable(answer)), "csv", `${report}-${answer.metric}`);
      case "ndjson":
        return fileAnswer(writeNdjson(answer.data), "ndjson", `${report}-${answer.metric}`);
      case "json":
        return context.json(answer, 200, { vary: "accept" });
    }
  });
}

const ZONE = "Days are those of the project's zone, or of UTC where that is not a whole number of hours away.";

const DETAILS: { readonly [Report in ReportName]?: string } = {
  "top-customers":
    " The rules of the trend are tried in order: new, dormant, check in, growing, declining, steady; " +
    "`trend_detail.rule` is the one that decided.",
  dormant: " The days of silence are looked at besides those that are asked for: `from` and `to` say which.",
  "near-limit": " Of allowances and subscriptions that have a limit; `days` is accepted, and changes nothing.",
  "heavy-labels": " For metrics that count or sum.",
  "hour-of-day": " For metrics that count or sum.",
  "error-rate": " For metrics that count or sum, and are split by the label `status`.",
};
