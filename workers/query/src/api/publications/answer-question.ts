import { PUBLISHED_NEAR_LIMIT_MS } from "@tidemark/contract/query-limits";
import type { PublicationQuestion } from "@tidemark/contract/publication-schema";
import type { QueryAnswer } from "@tidemark/contract/query-schema";
import type { ReportAnswer } from "@tidemark/contract/report-schema";
import type { QueryEnv } from "../../env.ts";
import { keptFor } from "../../snapshot.ts";
import { runQuery } from "../query/run-query.ts";
import { runReport } from "../reports/run-report.ts";

/** What a publication shows: the same answer as the API's. */
export type PublicationAnswer = ReportAnswer | QueryAnswer;

/** Answers what is published. What meters have to be asked for is asked once in a minute, however many open it. */
export async function answerQuestion(
  env: QueryEnv,
  projectId: string,
  question: PublicationQuestion,
): Promise<PublicationAnswer> {
  if ("query" in question) return runQuery(env, projectId, question.query);
  const { report, params } = question;
  if (report !== "near-limit") return runReport(env, projectId, question);
  const asked = { question: ["published", report, params], keptMs: PUBLISHED_NEAR_LIMIT_MS };
  return keptFor(env.DB, projectId, asked, async () => runReport(env, projectId, question));
}
