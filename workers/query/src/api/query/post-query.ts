import { createRoute } from "@hono/zod-openapi";
import { JobSchema } from "@tidemark/contract/job-schema";
import { QueryAnswerSchema, QuerySchema } from "@tidemark/contract/query-schema";
import * as z from "zod";
import type { QueryApp } from "../../env.ts";
import { fileAnswer, writeNdjson } from "../../files.ts";
import { chooseFormat } from "../../plumbing/choose-format.ts";
import { jsonBody } from "../../plumbing/json-body.ts";
import { requires } from "../../plumbing/requires.ts";
import { body, failures, json, KEYED } from "../../plumbing/routes.ts";
import { toAnswer } from "../jobs/job.ts";
import { reportCsv } from "../reports/report-csv.ts";
import { beginArchiveQuery } from "./begin-archive-query.ts";
import { toQueryTable } from "./query-table.ts";
import { runQuery } from "./run-query.ts";

const route = createRoute({
  method: "post",
  path: "/v1/query",
  tags: ["Usage"],
  summary: "Ask anything of usage",
  description:
    "Measures of one metric, grouped, filtered, compared and ordered, made of the days that are kept of each " +
    "customer. Every number is exact, or said to be `approximate`; what cannot be told exactly is refused with the " +
    "reason, and so is what would read too much, with how much may be read.\n\n" +
    '`"source": "archive"` asks the raw events instead, by properties that no metric has. A job reads them: poll ' +
    "`GET /v1/jobs/{id}`, which has the `result` when it is done.",
  security: KEYED,
  middleware: [requires("read"), jsonBody] as const,
  request: { body: body(QuerySchema) },
  responses: {
    200: {
      description: "The rows; CSV and NDJSON carry `data` alone.",
      content: {
        "application/json": { schema: QueryAnswerSchema },
        "text/csv": { schema: z.string() },
        "application/x-ndjson": { schema: z.string() },
      },
    },
    202: json(JobSchema, "A job reads the archive."),
    ...failures(409, 413, 415),
  },
});

export function postQuery(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const question = context.req.valid("json");
    const { project_id } = context.get("principal");
    if (question.source === "archive")
      return context.json(toAnswer(await beginArchiveQuery(context.env, project_id, question)), 202);
    const answer = await runQuery(context.env, project_id, question);
    switch (chooseFormat(context, undefined)) {
      case "csv":
        return fileAnswer(reportCsv(toQueryTable(answer)), "csv", `query-${answer.metric}`);
      case "ndjson":
        return fileAnswer(writeNdjson(answer.data), "ndjson", `query-${answer.metric}`);
      case "json":
        return context.json(answer, 200, { vary: "accept" });
    }
  });
}
