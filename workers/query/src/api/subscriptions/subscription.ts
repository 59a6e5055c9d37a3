import type { Subscription } from "@tidemark/contract/subscription-schema";
import { fromTerms } from "@tidemark/contract/wanted-terms";
import type { MetricDefinition } from "@tidemark/contract/metric-schema";
import { Problem } from "@tidemark/http/problem";
import { toInstantText, toOptionalInstant } from "../../plumbing/instant.ts";
import type { CustomerDefinitions, HeldDefinition } from "../definitions/read-definitions.ts";
import { toCycleRule } from "../definitions/schedule.ts";
import { toStanding } from "../definitions/standing.ts";

/** A subscription as it is answered; `metric` is `undefined` for a product without one. */
export function toSubscription(
  { definition, created_at, ended_at, balances }: HeldDefinition,
  metric: MetricDefinition | undefined,
): Subscription {
  const { id, terms, product, unavailable } = definition;
  if (product === null) throw new Error("A subscription has a product.");
  const { base, ...rest } = fromTerms(terms, metric?.decimal_places ?? 0);
  return {
    id,
    product: product.slug,
    name: product.name,
    metric: metric?.slug ?? null,
    // What was sold is what the answer's schema says, in types that nobody can change.
    prices: product.prices as Subscription["prices"],
    charge_on: product.charge_on,
    cycle: toCycleRule(terms.schedule),
    allowance: base === null ? null : { base, ...rest, unavailable },
    created_at: toInstantText(created_at),
    ended_at: toOptionalInstant(ended_at),
    standing: ended_at === null ? balances.map(toStanding) : [],
  };
}

/** Whether it is a subscription that is in force. */
export function isLive({ definition, ended_at }: HeldDefinition): boolean {
  return definition.product !== null && ended_at === null;
}

/** @throws Problem not_found. */
export function requireSubscription({ held }: CustomerDefinitions, id: string): HeldDefinition {
  const found = held.find(({ definition }) => definition.product !== null && definition.id === id);
  if (found === undefined)
    throw new Problem(
      "not_found",
      "The customer has no subscription with this id; GET /v1/customers/{id}/subscriptions lists those there are.",
    );
  return found;
}
