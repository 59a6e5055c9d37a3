import type { ErrorRateAnswer, QuestionOf } from "@tidemark/contract/report-schema";
import { planDays } from "@tidemark/core/day-plan";
import { ERROR_RULE, shareOf } from "@tidemark/core/report-rules";
import { readErrorTotals } from "@tidemark/db/label-totals";
import { invalid } from "../../plumbing/issues.ts";
import { clamp, toQuantity } from "../../quantity.ts";
import { EVERYTHING } from "../usage/counters.ts";
import { labelScope } from "./label-scope.ts";
import { rankUsers } from "./rank-users.ts";
import { aboutReport, readViews, type ReportSubject, requireAdditive } from "./report-subject.ts";
import { reportWindow } from "./report-window.ts";

/** The label that tells what became of a request. */
const STATUS = "status";

/**
 * Which share of the top customers' usage failed.
 *
 * @throws Problem invalid_request for a metric that is not split by status, and one that does not add up.
 */
export async function errorRates(
  db: D1Database,
  subject: ReportSubject,
  { days, limit }: Pick<QuestionOf<"error-rate">["params"], "days" | "limit">,
): Promise<ErrorRateAnswer> {
  const { metric } = subject;
  const aggregation = requireAdditive(metric);
  if (!metric.group_by.includes(STATUS)) throw notSplit();
  const { span, from, to, time_zone } = reportWindow(subject, days);
  const plan = planDays([span]);
  const views = await readViews(db, subject, { ...EVERYTHING, labels: [STATUS] });
  const ranked = await rankUsers(db, { ...subject, views, plan }, limit);
  const ids = ranked.map(({ customer_id }) => customer_id);
  const totals = await readErrorTotals(db, labelScope(subject, { views, plan, aggregation }, ids));
  const errors = new Map(totals.map(({ customer_id, label, total }) => [`${label} ${customer_id}`, total]));
  const of = (kind: "4xx" | "5xx", id: string): bigint => clamp(errors.get(`${kind} ${id}`) ?? 0n, metric);
  return {
    report: "error-rate",
    ...aboutReport(subject, { days, from, to, time_zone }, false),
    rule: ERROR_RULE,
    data: ranked.map(({ customer_id, name, total }, index) => {
      const [client, server] = [of("4xx", customer_id), of("5xx", customer_id)];
      return {
        rank: index + 1,
        customer_id,
        name,
        total: toQuantity(total, metric),
        errors_4xx: toQuantity(client, metric),
        errors_5xx: toQuantity(server, metric),
        rate: shareOf(client + server, total),
      };
    }),
  };
}

function notSplit(): Error {
  const detail =
    `This report reads the label \`${STATUS}\`, which this metric is not split by: add it to the metric's ` +
    "`group_by` with PATCH /v1/metrics/{slug}, from when on it is.";
  return invalid([{ pointer: "/metric", code: "unknown_label", detail }]);
}
