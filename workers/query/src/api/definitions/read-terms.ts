import type { MetricDefinition } from "@tidemark/contract/metric-schema";
import { toTerms, type WantedTerms } from "@tidemark/contract/wanted-terms";
import type { Schedule } from "@tidemark/core/cycle";
import { defaultsOf, type Terms } from "@tidemark/core/terms";
import { invalid } from "../../plumbing/issues.ts";
import { toPointer } from "../../plumbing/pointer.ts";

/**
 * The terms of an allowance.
 *
 * @throws Problem invalid_request, naming the fields that make no sense.
 */
export function readTerms(wanted: WantedTerms, metric: MetricDefinition, schedule: Schedule): Terms {
  const { accumulates } = defaultsOf(metric.type);
  const read = toTerms(wanted, metric, { schedule, accumulates, by_segment: false });
  if ("terms" in read) return read.terms;
  throw invalid(read.faults.map(({ path, detail }) => ({ pointer: toPointer(path), code: "invalid_value", detail })));
}
