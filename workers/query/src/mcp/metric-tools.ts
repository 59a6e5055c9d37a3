import { PageQuerySchema } from "@tidemark/contract/answer-schema";
import { MetricChangeSchema, MetricInputSchema } from "@tidemark/contract/metric-schema";
import { PreviewInputSchema } from "@tidemark/contract/preview-schema";
import * as z from "zod";
import type { Tool } from "./tool.ts";

/** The metric that a tool is about: `slug` itself is a field that a metric's change may have. */
const inPath = { metric: z.string().min(1).describe("The metric's slug, as usage_metrics_list answers it.") };

/** Metrics: what is counted. */
export const METRIC_TOOLS: readonly Tool[] = [
  {
    name: "usage_metrics_list",
    title: "List metrics",
    description:
      "The project's metrics: what is counted, by which rules, in which unit. Their `slug` is what other tools call " +
      "`metric`, and their `group_by` are the labels that usage can be split by. `next_cursor` leads to the next page.",
    scope: "read",
    effect: "reads",
    input: PageQuerySchema,
    answeredBy: { method: "GET", path: "/v1/metrics" },
    narrow: "Pass a smaller `limit`, and `cursor` for the next page.",
  },
  {
    name: "usage_metrics_retrieve",
    title: "Retrieve a metric",
    description: "One metric, complete, with the products that it is sold by.",
    scope: "read",
    effect: "reads",
    input: null,
    answeredBy: { method: "GET", path: "/v1/metrics/{metric}", inPath },
    narrow: "There is no smaller answer.",
  },
  {
    name: "usage_metrics_preview",
    title: "Try out a metric",
    description:
      "What a metric would count of some events, by the evaluator that counts for real: which events match and why the " +
      "others do not, each one's value and the running result. Changes nothing; use it before usage_metrics_create. " +
      'Example: {"metric": {"aggregation": "sum", "value_property": "tokens", "event_matchers": [{"event": "llm_call"}]}, ' +
      '"events": [{"event": "llm_call", "properties": {"tokens": 7}}]}.',
    scope: "read",
    effect: "reads",
    input: PreviewInputSchema,
    answeredBy: { method: "POST", path: "/v1/metrics/preview" },
    narrow: "Try fewer events.",
  },
  {
    name: "usage_metrics_create",
    title: "Create a metric",
    description:
      "Begins to count: events that arrive from now on. `aggregation` is count, sum, max, min, latest (these four need " +
      "`value_property`) or unique (needs `distinct_by`). A property is a path, such as `usage.tokens`. " +
      'Example: {"name": "Output tokens", "unit": "tokens", "event_matchers": [{"event": "llm_call"}], ' +
      '"aggregation": "sum", "value_property": "output_tokens", "group_by": ["model"]}. Needs a key with the scope admin.',
    scope: "admin",
    effect: "adds",
    input: MetricInputSchema,
    answeredBy: { method: "POST", path: "/v1/metrics", isIdempotent: true },
    narrow: "There is no smaller answer.",
  },
  {
    name: "usage_metrics_update",
    title: "Change a metric",
    description:
      "Changes the fields that are given and keeps the others. A change of what is counted makes a new version, which " +
      "counts from `effective_from` on; what was counted before stays. Needs a key with the scope admin.",
    scope: "admin",
    effect: "changes",
    input: MetricChangeSchema,
    answeredBy: { method: "PATCH", path: "/v1/metrics/{metric}", inPath },
    narrow: "There is no smaller answer.",
  },
  {
    name: "usage_metrics_delete",
    title: "Delete a metric",
    description:
      "Stops counting and takes the metric out of every list; its slug is not given to another. Refused while a product " +
      "or an allowance uses it: the error names them. Needs a key with the scope admin.",
    scope: "admin",
    effect: "deletes",
    input: null,
    answeredBy: { method: "DELETE", path: "/v1/metrics/{metric}", inPath },
    narrow: "There is no smaller answer.",
  },
];
