import { createRoute } from "@hono/zod-openapi";
import { TopCustomersQuerySchema, TopCustomersSchema } from "@tidemark/contract/report-schema";
import * as z from "zod";
import type { QueryApp } from "../../env.ts";
import { fileAnswer, writeNdjson } from "../../files.ts";
import { chooseFormat } from "../../plumbing/choose-format.ts";
import { requires } from "../../plumbing/requires.ts";
import { failures, KEYED } from "../../plumbing/routes.ts";
import { requireProject } from "../../project.ts";
import { requireMetric } from "../metrics/metric.ts";
import { topCustomers } from "./top-customers.ts";
import { topCustomersCsv } from "./top-customers-csv.ts";

const route = createRoute({
  method: "get",
  path: "/v1/reports/top-customers",
  tags: ["Reports"],
  summary: "Top customers",
  description:
    "Who used most of a metric in the last days of the project's time zone, with every day and a trend. " +
    "Its rules are tried in order: new, dormant, check in, growing, declining, steady; `trend_detail.rule` is the one that decided. " +
    "A project whose zone is not a whole number of hours from UTC sees days of UTC.",
  security: KEYED,
  middleware: requires("read"),
  request: { query: TopCustomersQuerySchema },
  responses: {
    200: {
      description: "The ranking; CSV and NDJSON carry `data` alone.",
      content: {
        "application/json": { schema: TopCustomersSchema },
        "text/csv": { schema: z.string() },
        "application/x-ndjson": { schema: z.string() },
      },
    },
    ...failures(404),
  },
});

export function getTopCustomers(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const { metric: slug, days, limit, format } = context.req.valid("query");
    const { project_id } = context.get("principal");
    const { DB } = context.env;
    const [project, metric] = await Promise.all([requireProject(DB, project_id), requireMetric(DB, project_id, slug)]);
    const report = await topCustomers(DB, { project, metric }, { days, limit });
    switch (chooseFormat(context, format)) {
      case "csv":
        return fileAnswer(topCustomersCsv(report), "csv", `top-customers-${report.metric}`);
      case "ndjson":
        return fileAnswer(writeNdjson(report.data), "ndjson", `top-customers-${report.metric}`);
      case "json":
        return context.json(report, 200, { vary: "accept" });
    }
  });
}
