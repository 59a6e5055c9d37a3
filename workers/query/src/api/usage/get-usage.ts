import { createRoute } from "@hono/zod-openapi";
import { type Usage, UsageQuerySchema, UsageSchema } from "@tidemark/contract/usage-schema";
import * as z from "zod";
import type { QueryApp } from "../../env.ts";
import { fileAnswer, writeCsv, writeNdjson } from "../../files.ts";
import { chooseFormat } from "../../plumbing/choose-format.ts";
import { requires } from "../../plumbing/requires.ts";
import { failures, KEYED } from "../../plumbing/routes.ts";
import { answerUsage } from "./answer-usage.ts";

const route = createRoute({
  method: "get",
  path: "/v1/usage",
  tags: ["Usage"],
  summary: "Usage over time",
  description:
    'Of one metric, for one customer or for all together. Rows without usage are there, with "0"; where a max, min ' +
    "or latest has nothing to measure, with null. Distinct counts of many ids are estimates (`approximate`), within " +
    "about two per cent, and of single hours within about seven.\n\n" +
    "With `customer_id` the customer's meter is asked, so what was counted a moment ago is included (`live`). " +
    "Without it the figures are those that the meters have sent: a quiet customer's arrive within seconds, " +
    "a busy one's at intervals that grow with the traffic.",
  security: KEYED,
  middleware: requires("read"),
  request: { query: UsageQuerySchema },
  responses: {
    200: {
      description: "The rows; CSV and NDJSON carry `data` alone.",
      content: {
        "application/json": { schema: UsageSchema },
        "text/csv": { schema: z.string() },
        "application/x-ndjson": { schema: z.string() },
      },
    },
    ...failures(404),
  },
});

export function getUsage(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const query = context.req.valid("query");
    const usage = await answerUsage(context.env, context.get("principal").project_id, query);
    switch (chooseFormat(context, query.format)) {
      case "csv":
        return fileAnswer(toCsv(usage, query.group_by), "csv", `usage-${usage.metric}`);
      case "ndjson":
        return fileAnswer(writeNdjson(usage.data), "ndjson", `usage-${usage.metric}`);
      case "json":
        return context.json(usage, 200, { vary: "accept" });
    }
  });
}

function toCsv(usage: Usage, groupBy: string | undefined): string {
  const labels = groupBy?.split(",").map((label) => label.trim()) ?? [];
  const rows = usage.data.map(({ start, end, group, value }) => [
    { text: start },
    { text: end },
    ...labels.map((label) => ({ text: group?.[label] ?? "" })),
    value === null ? null : { number: value },
  ]);
  return writeCsv(["start", "end", ...labels, "value"], rows);
}
