import type { ReportQuestion } from "@tidemark/contract/report-schema";

/** Where a report answers a question. */
export function reportPath({ report, params }: ReportQuestion): string {
  const query = new URLSearchParams(Object.entries(params).map(([name, value]) => [name, String(value)]));
  return `/v1/reports/${report}?${query.toString()}`;
}
