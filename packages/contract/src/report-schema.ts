import * as z from "zod";
import { wholeNumber } from "./answer-schema.ts";
import { NAME_LENGTH_MAX, REPORT_LIMIT_MAX } from "./limits.ts";
import { HOURLY_LIMIT_MAX, REPORT_DAYS_MAX } from "./query-limits.ts";
import type {
  ComparedAnswer,
  DormantAnswer,
  ErrorRateAnswer,
  HeavyLabelsAnswer,
  HourOfDayAnswer,
  NearLimitAnswer,
  TopCustomersAnswer,
} from "./report-answer-schema.ts";
import { type ReportName, REPORTS } from "./reports.ts";

export type * from "./report-answer-schema.ts";

const PARAMS = paramsOf((min, max, preset) => z.int().min(min).max(max).default(preset));

/** The query of each `GET /v1/reports/{name}`, besides `format`. */
export const REPORT_QUERIES = paramsOf((min, max, preset) => wholeNumber(min, max).default(preset));

/** What a publication of the ranking freezes. */
export const TopCustomersParamsSchema = PARAMS["top-customers"];
export type TopCustomersParams = z.infer<typeof TopCustomersParamsSchema>;

/** A report with what it is asked: what publications freeze. */
export const ReportQuestionSchema = z.discriminatedUnion("report", [
  question("top-customers"),
  question("growing"),
  question("dropping"),
  question("dormant"),
  question("near-limit"),
  question("heavy-labels"),
  question("hour-of-day"),
  question("error-rate"),
]);
export type ReportQuestion = z.infer<typeof ReportQuestionSchema>;

/** The question that one report is asked. */
export type QuestionOf<Name extends ReportName> = Extract<ReportQuestion, { readonly report: Name }>;

/** What a report answers, told apart by `report`. */
export type ReportAnswer =
  | TopCustomersAnswer
  | ComparedAnswer
  | DormantAnswer
  | NearLimitAnswer
  | HeavyLabelsAnswer
  | HourOfDayAnswer
  | ErrorRateAnswer;

/** A report in the list of them. */
export const ReportSchema = z
  .object({
    name: z.string(),
    title: z.string(),
    description: z.string(),
    params: z.array(z.string()),
    defaults: z.record(z.string(), z.int()).describe("What a parameter is when it is left out."),
  })
  .meta({ id: "Report" });

function question<Name extends ReportName>(report: Name) {
  return z.strictObject({ report: z.literal(report), params: PARAMS[report] });
}

/** The parameters of every report, with whole numbers as a body or a query spells them. */
function paramsOf<Whole extends z.ZodType<number>>(whole: (min: number, max: number, preset: number) => Whole) {
  const params = (name: ReportName, days: string, { daysMin = 1, limitMax = REPORT_LIMIT_MAX } = {}) =>
    z.strictObject({
      metric: z.string().min(1).describe("The metric's slug."),
      days: whole(daysMin, REPORT_DAYS_MAX, REPORTS[name].days).describe(days),
      limit: whole(1, limitMax, REPORTS[name].limit).describe("How many customers."),
    });
  const window = "How many days, today included.";
  const label = z.string().min(1).max(NAME_LENGTH_MAX).optional();
  return {
    "top-customers": params("top-customers", window),
    growing: params(
      "growing",
      "How many days, today included; they are compared with as many before, both without their last.",
      { daysMin: 2 },
    ),
    dropping: params("dropping", "How many whole days are compared with as many before them."),
    dormant: params("dormant", "How many days of use to look for, before the days of silence."),
    "near-limit": params("near-limit", "Says nothing here: each cycle has its own length."),
    "heavy-labels": params("heavy-labels", window).extend({
      label: label.describe("One of the labels that the metric is split by; the first of them when absent."),
    }),
    "hour-of-day": params("hour-of-day", window, { limitMax: HOURLY_LIMIT_MAX }),
    "error-rate": params("error-rate", window),
  };
}
