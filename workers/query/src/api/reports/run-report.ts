import type { ReportAnswer, ReportQuestion } from "@tidemark/contract/report-schema";
import { DAY_MS } from "@tidemark/core/timestamp";
import { dateOf } from "@tidemark/core/time-zone";
import { dayZone } from "../../day-zone.ts";
import type { QueryEnv } from "../../env.ts";
import { requireProject } from "../../project.ts";
import { snapshot } from "../../snapshot.ts";
import { requireMetric } from "../metrics/metric.ts";
import { changedCustomers } from "./changed-customers.ts";
import { dormantCustomers } from "./dormant-customers.ts";
import { errorRates } from "./error-rates.ts";
import { heavyLabels } from "./heavy-labels.ts";
import { hoursOfDay } from "./hours-of-day.ts";
import { nearLimit } from "./near-limit.ts";
import type { ReportSubject } from "./report-subject.ts";
import { topCustomers } from "./top-customers.ts";

/**
 * Answers a report: from what was kept while nothing has changed, except for what only meters know.
 *
 * @throws Problem not_found for a metric that the project does not have; invalid_request where the report cannot
 * be made of this metric, or of so much at once.
 */
export async function runReport(env: QueryEnv, projectId: string, question: ReportQuestion): Promise<ReportAnswer> {
  const { report, params } = question;
  const [project, metric] = await Promise.all([
    requireProject(env.DB, projectId),
    requireMetric(env.DB, projectId, params.metric),
  ]);
  const now = Date.now();
  const subject = { project, metric, now };
  if (report === "near-limit") return nearLimit(env, subject, params);
  const today = dateOf(now, dayZone(project.time_zone, now - DAY_MS, now + DAY_MS));
  const label = report === "heavy-labels" ? params.label : undefined;
  const asked = [report, metric.id, params.days, params.limit, label ?? null, today];
  return snapshot(env.DB, projectId, asked, async () => makeReport(env.DB, subject, question));
}

type Kept = Exclude<ReportQuestion, { readonly report: "near-limit" }>;

async function makeReport(db: D1Database, subject: ReportSubject, { report, params }: Kept): Promise<ReportAnswer> {
  switch (report) {
    case "top-customers":
      return topCustomers(db, subject, params);
    case "growing":
      return changedCustomers(db, subject, { ...params, report, whole: false });
    case "dropping":
      return changedCustomers(db, subject, { ...params, report, whole: true });
    case "dormant":
      return dormantCustomers(db, subject, params);
    case "heavy-labels":
      return heavyLabels(db, subject, params);
    case "hour-of-day":
      return hoursOfDay(db, subject, params);
    case "error-rate":
      return errorRates(db, subject, params);
  }
}
