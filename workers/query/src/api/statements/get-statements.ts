import { createRoute } from "@hono/zod-openapi";
import { StatementsQuerySchema, StatementsSchema } from "@tidemark/contract/statement-schema";
import * as z from "zod";
import type { QueryApp } from "../../env.ts";
import { fileAnswer } from "../../files.ts";
import { chooseFormat } from "../../plumbing/choose-format.ts";
import { requires } from "../../plumbing/requires.ts";
import { failures, KEYED } from "../../plumbing/routes.ts";
import { readInstant } from "../definitions/schedule.ts";
import { answerStatements } from "./answer-statements.ts";
import { statementsCsv } from "./statements-csv.ts";

const route = createRoute({
  method: "get",
  path: "/v1/customers/{id}/statements",
  tags: ["Quotas"],
  summary: "What a customer's cycles come to",
  description:
    "A statement for each subscription and allowance and each of its cycles, the latest end first: quantities, prices and " +
    "amounts, exact, with the rounding named. A cycle is charged by the prices that hold at its end, flat ones in full. " +
    "Once it is final it stays as it is: later usage of it is an adjustment of the cycle in which it comes.\n\n" +
    "CSV has a row for each line and adjustment of the page; the `Link` header names the next page.",
  security: KEYED,
  middleware: requires("read"),
  request: { params: z.object({ id: z.string() }), query: StatementsQuerySchema },
  responses: {
    200: {
      description: "The statements.",
      content: { "application/json": { schema: StatementsSchema }, "text/csv": { schema: z.string() } },
    },
    ...failures(404),
  },
});

export function getStatements(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const address = { project_id: context.get("principal").project_id, customer_id: context.req.valid("param").id };
    const { cycle, limit, cursor, format } = context.req.valid("query");
    const question = { cycle: cycle === undefined ? null : readInstant(cycle, "/cycle"), limit, cursor };
    const statements = await answerStatements(context.env, address, question);
    if (chooseFormat(context, format) !== "csv") return context.json(statements, 200, { vary: "accept" });
    const answer = fileAnswer(statementsCsv(statements.data), "csv", "statements");
    if (statements.next_cursor !== null) {
      const next = new URL(context.req.url);
      next.searchParams.set("cursor", statements.next_cursor);
      answer.headers.set("link", `<${next.pathname}${next.search}>; rel="next"`);
    }
    return answer;
  });
}
