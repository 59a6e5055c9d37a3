import type { ProblemDetail } from "@tidemark/contract";
import type { MetricDefinition } from "@tidemark/contract/metric-schema";
import type { ProductDefinition } from "@tidemark/contract/subscribe";
import {
  completeTerms,
  fromTerms,
  type PartialTerms,
  toTerms,
  type WantedTerms,
} from "@tidemark/contract/wanted-terms";
import { defaultsOf } from "@tidemark/core/terms";
import { invalid } from "../../plumbing/issues.ts";
import { toPointer } from "../../plumbing/pointer.ts";
import type { Link } from "./link-metric.ts";

/** A product as it is wanted: what a subscription would keep of it may still make no sense. */
export interface WantedProduct extends Omit<ProductDefinition, "allowance" | "accumulates"> {
  readonly allowance: PartialTerms | null;
  readonly default: boolean;
}

/**
 * What is stored of a product, with the defaults of its metric's type.
 *
 * @throws Problem invalid_request, naming everything that does not go together.
 */
export function defineProduct({ default: isDefault, ...wanted }: WantedProduct, link: Link): ProductDefinition {
  const { definition: metric } = link;
  const errors = metric === null ? feeFaults(wanted, isDefault, link) : segmentFaults(wanted, metric);
  const allowance = wanted.allowance === null || metric === null ? null : readAllowance(wanted.allowance, metric);
  if (allowance !== null && "faults" in allowance) errors.push(...allowance.faults);
  if (errors.length > 0) throw invalid(errors);
  return {
    ...wanted,
    allowance: allowance === null || "faults" in allowance ? null : allowance.terms,
    accumulates: metric !== null && defaultsOf(metric.type).accumulates,
  };
}

/** What a product without a metric cannot have. */
function feeFaults(
  { prices, allowance }: Omit<WantedProduct, "default">,
  isDefault: boolean,
  { kind }: Link,
): ProblemDetail[] {
  const errors = prices.flatMap(({ model, segment }, index): ProblemDetail[] => [
    ...(model === "flat"
      ? []
      : [fault(["prices", index, "model"], `Must be flat: a ${kind} has no metric, and so no quantity.`)]),
    ...(segment === null ? [] : [fault(["prices", index, "segment"], "Must be null: there is no metric to have it.")]),
  ]);
  if (allowance !== null)
    errors.push(fault(["allowance"], `Must be null: a ${kind} has no metric of which something could be used.`));
  if (isDefault)
    errors.push(fault(["default"], `Must be false: no decision asks for a ${kind}, because it has no metric.`));
  return errors;
}

function segmentFaults({ prices }: Omit<WantedProduct, "default">, { segments }: MetricDefinition): ProblemDetail[] {
  const names = segments.map(({ name }) => name);
  const detail =
    names.length === 0 ? "Must be null: the metric has no segments." : `Must be one of ${names.join(", ")}.`;
  return prices.flatMap(({ segment }, index) =>
    segment === null || names.includes(segment) ? [] : [fault(["prices", index, "segment"], detail)],
  );
}

function readAllowance(
  wanted: PartialTerms,
  metric: MetricDefinition,
): { readonly terms: WantedTerms } | { readonly faults: readonly ProblemDetail[] } {
  const complete = completeTerms(wanted, metric.type);
  const { accumulates } = defaultsOf(metric.type);
  const read = toTerms(complete, metric, { schedule: SOME_SCHEDULE, accumulates, by_segment: false });
  if ("faults" in read) return { faults: read.faults.map(({ path, detail }) => fault(["allowance", ...path], detail)) };
  return { terms: { ...fromTerms(read.terms, metric.decimal_places), unavailable: complete.unavailable } };
}

/** Whether terms make sense does not depend on when a cycle begins. */
const SOME_SCHEDULE = { interval: { count: 1, period: "months" }, anchor: 0, time_zone: "UTC" } as const;

function fault(path: readonly (string | number)[], detail: string): ProblemDetail {
  return { pointer: toPointer(path), code: "invalid_value", detail };
}
