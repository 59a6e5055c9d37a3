import type { Allowance } from "@tidemark/contract/allowance-schema";
import { fromTerms } from "@tidemark/contract/wanted-terms";
import { Problem } from "@tidemark/http/problem";
import { toInstantText, toOptionalInstant } from "../../plumbing/instant.ts";
import type { CustomerDefinitions, HeldDefinition } from "../definitions/read-definitions.ts";
import { toCycleRule } from "../definitions/schedule.ts";
import { toStanding } from "../definitions/standing.ts";

/** What of a metric an answer about an allowance needs. */
export interface NamedMetric {
  readonly slug: string;
  readonly decimal_places: number;
}

/** An allowance as it is answered. */
export function toAllowance(held: HeldDefinition, metric: NamedMetric): Allowance {
  const { id, terms, unavailable } = held.definition;
  const { base, ...rest } = fromTerms(terms, metric.decimal_places);
  return {
    id,
    metric: metric.slug,
    base: base ?? "0",
    cycle: toCycleRule(terms.schedule),
    ...rest,
    unavailable,
    created_at: toInstantText(held.created_at),
    ended_at: toOptionalInstant(held.ended_at),
    standing: held.ended_at === null ? held.balances.map(toStanding) : [],
  };
}

/** Whether it is an allowance, and not part of a subscription. */
export function isAllowance({ definition }: HeldDefinition): boolean {
  return definition.product === null;
}

/** @throws Problem not_found. */
export function requireAllowance({ held }: CustomerDefinitions, id: string): HeldDefinition {
  const found = held.find((one) => isAllowance(one) && one.definition.id === id);
  if (found === undefined)
    throw new Problem(
      "not_found",
      "The customer has no allowance with this id; GET /v1/customers/{id}/allowances lists those there are.",
    );
  return found;
}
