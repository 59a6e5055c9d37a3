import { CustomerIdSchema, NoQuerySchema } from "@tidemark/contract/answer-schema";
import { CustomerUsageQuerySchema } from "@tidemark/contract/customer-schema";
import { ExplainQuerySchema } from "@tidemark/contract/explain-schema";
import { REPORT_LIMIT_MAX } from "@tidemark/contract";
import { PublicationInputSchema } from "@tidemark/contract/publication-schema";
import { REPORT_DAYS_MAX } from "@tidemark/contract/query-limits";
import { ArchiveQuestionSchema, QueryQuestionSchema } from "@tidemark/contract/query-schema";
import { REPORTS } from "@tidemark/contract/reports";
import * as z from "zod";
import { checkQuota, QuotaInputSchema } from "./check-quota.ts";
import type { Tool } from "./tool.ts";

const customer_id = CustomerIdSchema;

/** Of whichever report: each has defaults of its own, which the API knows. */
const ReportInputSchema = z.strictObject({
  metric: z.string().min(1).describe("The metric's slug."),
  days: z.int().min(1).max(REPORT_DAYS_MAX).optional().describe("How many days; each report has its default."),
  limit: z.int().min(1).max(REPORT_LIMIT_MAX).optional().describe("How many customers; 20 in most reports."),
  label: z.string().min(1).optional().describe("For heavy-labels alone: one of the metric's group_by."),
});

/** The tool's name says what the question's `source` is. */
const ArchiveToolSchema = ArchiveQuestionSchema.extend({ source: z.literal("archive").optional() });

/** Usage: what was counted, who may see it, and who may use more. */
export const USAGE_TOOLS: readonly Tool[] = [
  {
    name: "list_reports",
    title: "List reports",
    description: "The reports that run_report runs: what each answers, its parameters and their defaults.",
    scope: "read",
    effect: "reads",
    input: NoQuerySchema,
    answeredBy: { method: "GET", path: "/v1/reports" },
    narrow: "There is no smaller answer.",
  },
  {
    name: "run_report",
    title: "Run a report",
    description:
      "Who uses how much of a metric: " +
      Object.entries(REPORTS)
        .map(([name, { description }]) => `${name}: ${description}`)
        .join(" ") +
      ' Totals are in the metric\'s unit. Example: {"report": "top-customers", "metric": "api_requests", "days": 30, "limit": 20}.',
    scope: "read",
    effect: "reads",
    input: ReportInputSchema,
    answeredBy: {
      method: "GET",
      path: "/v1/reports/{report}",
      inPath: { report: z.enum(Object.keys(REPORTS)).describe("Which report.") },
    },
    narrow: "Ask for fewer customers with `limit`, or for fewer `days`.",
  },
  {
    name: "analytics_query",
    title: "Query usage",
    description:
      "Ad hoc questions that no report answers: measures of a metric by customer, by label or by time, filtered, ordered, " +
      "and compared with the period before. Answers columns and rows. For raw events and their properties use " +
      "analytics_query_archive. " +
      'Example, customers who use less than a week ago: {"metric": "api_requests", "measures": ["value"], ' +
      '"group_by": ["customer"], "range": {"days": 7}, "compare": "previous_period", ' +
      '"order_by": [{"by": "change_value", "direction": "asc"}], "limit": 20}.',
    scope: "read",
    effect: "reads",
    input: QueryQuestionSchema,
    answeredBy: {
      method: "POST",
      path: "/v1/query",
      says: { field: "source", value: "usage", otherwise: "Use analytics_query_archive for the archive." },
    },
    narrow: "Ask for fewer rows with `limit`, group by less, or filter.",
  },
  {
    name: "analytics_query_archive",
    title: "Query the archive",
    description:
      "Ad hoc questions about raw events, by properties that no metric has. Begins a job that reads the archive, which " +
      "can take minutes: its result is in job_retrieve. Use analytics_query for what a metric has counted. " +
      'Example: {"event_matchers": [{"event": "api_request"}], "filters": {"and": [{"property": "status", "op": "gte", ' +
      '"value": 500}]}, "measures": [{"of": "count"}], "group_by": ["endpoint"], "range": {"days": 7}}.',
    scope: "read",
    effect: "adds",
    input: ArchiveToolSchema,
    answeredBy: {
      method: "POST",
      path: "/v1/query",
      says: { field: "source", value: "archive", otherwise: "Use analytics_query for usage." },
    },
    narrow: "Ask with a smaller `limit`.",
  },
  {
    name: "job_retrieve",
    title: "Retrieve a job",
    description:
      "How far a job is, such as a question about the archive, and its result when `state` is done. Ask again in some " +
      "seconds while it is waiting or running.",
    scope: "read",
    effect: "reads",
    input: null,
    answeredBy: {
      method: "GET",
      path: "/v1/jobs/{id}",
      inPath: { id: z.string().min(1).describe("As the answer that began the job has it.") },
    },
    narrow: "Ask the question again with a smaller `limit`.",
  },
  {
    name: "publish_query",
    title: "Publish a report",
    description:
      "Makes a page of a report, or of a `query` as analytics_query takes it, that anybody who has its link can read, " +
      "without an account and always with current figures. Answers the link as `public_url`, once. Tell the user that it " +
      "is public. " +
      'Example: {"report": "top-customers", "params": {"metric": "api_requests", "days": 30, "limit": 20}, ' +
      '"title": "Top 20 API customers", "expires_at": null}. Needs a key with the scope admin.',
    scope: "admin",
    effect: "publishes",
    input: PublicationInputSchema,
    answeredBy: { method: "POST", path: "/v1/publications", isIdempotent: true },
    narrow: "There is no smaller answer.",
  },
  {
    name: "customer_usage",
    title: "A customer's usage",
    description:
      "Every metric of one customer: usage of the last days, of as many before, the change, and a value for each day. " +
      "Live: it has what the customer's meter counted a moment ago.",
    scope: "read",
    effect: "reads",
    input: CustomerUsageQuerySchema,
    answeredBy: { method: "GET", path: "/v1/customers/{customer_id}/usage", inPath: { customer_id } },
    narrow: "Ask for fewer `days`, or for one metric with analytics_query.",
  },
  {
    name: "explain_customer",
    title: "Explain a customer's usage of a metric",
    description:
      "What was counted of one metric, and why the latest decisions allowed or denied: where the balances stand, and of " +
      "each decision the reason in words. For questions such as why a customer was blocked.",
    scope: "read",
    effect: "reads",
    input: ExplainQuerySchema,
    answeredBy: { method: "GET", path: "/v1/customers/{customer_id}/explain", inPath: { customer_id } },
    narrow: "Ask for one decision with `id`.",
  },
  {
    name: "check_quota",
    title: "Check a quota",
    description:
      "Whether a customer may use so many units of a metric now: allowed, and if not the reason, with limit, used and " +
      "remaining in the metric's unit. Uses and reserves nothing. A customer nobody has set a limit for is denied as " +
      "unknown_customer or no_allowance, also where a default product would be given with the first real decision. " +
      'Example: {"customer_id": "acme_corp", "metric": "api_requests", "amount": 100}.',
    scope: "read",
    effect: "reads",
    input: QuotaInputSchema,
    answeredBy: checkQuota,
    narrow: "There is no smaller answer.",
  },
];
