import * as z from "zod";
import { wholeNumber } from "./answer-schema.ts";
import { REPORT_LIMIT_MAX } from "./limits.ts";
import { FIGURES_TOP_DEFAULT } from "./query-limits.ts";

/** The query of `GET /metrics`. */
export const FiguresQuerySchema = z.strictObject({
  by: z
    .literal("customer", 'Must be "customer".')
    .optional()
    .describe("Adds today's events of the customers with most, of one metric."),
  metric: z.string().min(1).optional().describe("The metric's slug, with `by`."),
  top: wholeNumber(1, REPORT_LIMIT_MAX)
    .default(FIGURES_TOP_DEFAULT)
    .describe("How many customers, with `by`: each is a time series."),
});
