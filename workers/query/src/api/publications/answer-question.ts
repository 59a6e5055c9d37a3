import type { PublicationQuestion } from "@tidemark/contract/publication-schema";
import type { QueryAnswer } from "@tidemark/contract/query-schema";
import type { ReportAnswer } from "@tidemark/contract/report-schema";
import type { QueryEnv } from "../../env.ts";
import { runQuery } from "../query/run-query.ts";
import { runReport } from "../reports/run-report.ts";

/** What a publication shows: the same answer as the API's. */
export type PublicationAnswer = ReportAnswer | QueryAnswer;

/** Answers what is published. */
export async function answerQuestion(
  env: QueryEnv,
  projectId: string,
  question: PublicationQuestion,
): Promise<PublicationAnswer> {
  return "query" in question ? runQuery(env, projectId, question.query) : runReport(env, projectId, question);
}
